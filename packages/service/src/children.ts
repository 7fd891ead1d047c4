/** The children of a metric by the value of one label, each made once: what is counted for every payment is not to look for its labels
 * each time. Of two labels, children of children. */
export function createChildren<Child>(make: (value: string) => Child): (value: string) => Child {
  const made = new Map<string, Child>()
  const another = (value: string) => {
    const child = make(value)
    made.set(value, child)
    return child
  }
  return (value) => made.get(value) ?? another(value)
}
