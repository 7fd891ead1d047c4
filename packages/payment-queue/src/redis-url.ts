/** What a URL names: one server, or with `+cluster` some nodes of a Redis Cluster, from which the others are found. */
export type RedisPlace = {
  isCluster: boolean
  /** One URL each, with the user and password that all share. */
  nodes: readonly [URL, ...URL[]]
}

/** `redis://user:password@host:6379` is a server, `redis+cluster://user:password@one:6379,two:6379` a cluster; `rediss` is TLS.
 * A cluster says so itself, because one name may stand for all of its nodes. Undefined where it is neither. */
export function placeOf(text: string): RedisPlace | undefined {
  const [, scheme, cluster, access = '', hosts = '', rest = ''] = FORM.exec(text) ?? []
  if (scheme === undefined) return undefined
  const each = cluster === undefined ? [hosts] : hosts.split(',')
  const urls = each.map((host) => URL.parse(`${scheme}://${access}${host}${rest}`))
  const [first, ...others] = urls.filter((url) => url !== null && /^[^,]+$/.test(url.hostname)) as URL[]
  if (!first || others.length + 1 < urls.length) return undefined
  return { isCluster: cluster !== undefined, nodes: [first, ...others] }
}

const FORM = /^(rediss?)(\+cluster)?:\/\/(?:(.*@))?([^@/?#]*)([/?#].*)?$/

/** The same of a text that was found good when the environment was read. */
export function knownPlace(text: string): RedisPlace {
  const place = placeOf(text)
  if (!place) throw new TypeError('no URL of a Redis')
  return place
}

export const addressOf = ({ hostname, port }: URL): string => `${hostname}:${port || DEFAULT_PORT}`

export const DEFAULT_PORT = '6379'
