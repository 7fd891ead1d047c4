/* Loaded before a process of ours (`node --import`): its wall clock jumps an hour forward, then an hour back, and so on. Only the
 * clock that can be set; the one that cannot goes on as it is. */

const HOUR = 60 * 60 * 1000
const EVERY_MS = 150

const RealDate = globalThis.Date
let shift = HOUR
setInterval(() => {
  shift = -shift
}, EVERY_MS).unref()

const now = () => RealDate.now() + shift

globalThis.Date = new Proxy(RealDate, {
  construct: (date, given) => (given.length === 0 ? new date(now()) : Reflect.construct(date, given)),
  get: (date, name) => (name === 'now' ? now : Reflect.get(date, name)),
})
