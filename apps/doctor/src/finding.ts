/** What was looked at, what was seen of it (never a secret's value), and what to do about it. */
export type Finding = { name: string; state: State; seen: string; do?: string }

/** From what nobody needs to read to what must be read: the order in which people are shown it. */
export const STATES = ['ok', 'not checked', 'warning', 'wrong'] as const
export type State = (typeof STATES)[number]

export const ok = (name: string, seen: string): Finding => ({ name, state: 'ok', seen })
export const warning = (name: string, seen: string, todo: string): Finding => ({
  name,
  state: 'warning',
  seen,
  do: todo,
})
export const wrong = (name: string, seen: string, todo: string): Finding => ({ name, state: 'wrong', seen, do: todo })
export const notChecked = (name: string, because: string, todo?: string): Finding => ({
  name,
  state: 'not checked',
  seen: because,
  ...(todo !== undefined && { do: todo }),
})

export const isWrong = ({ state }: Finding): boolean => state === 'wrong'
