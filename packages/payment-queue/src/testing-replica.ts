import { connect } from 'node:net'

/** Support for tests: a replica, as far as the server can tell, for it asks for a copy and for everything that is written. (A
 * second server cannot always reach the first: each may be in a container of its own.) Returns what makes it leave. */
export function joinAsReplica(url: string): () => void {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname, () => socket.write('PSYNC ? -1\r\n'))
  socket.on('error', () => undefined).resume()
  return () => socket.destroy()
}
