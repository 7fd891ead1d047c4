/** Whether a name stands there twice, in whatever case, and does not say the same. Parsers take the last of them without a word, and
 * of a yes and a no that would be one as likely as the other. */
export function contradictsItself(members: readonly (readonly [name: string, value: string])[]): boolean {
  const said = new Map<string, string>()
  return members.some(([name, value]) => {
    const key = name.toLowerCase()
    const before = said.get(key) ?? value
    said.set(key, value)
    return before !== value
  })
}
