/** What Node can be told from outside and would give away what this process holds: cards in memory, keys, and what it says to PayConex
 * and Redis. */

type Environment = Readonly<Record<string, string | undefined>>

/** How the process was started. `limits` is the text of `/proc/self/limits`, where there is one. `isDebugged`: whether a debugger can
 * connect, for whatever reason: a SIGUSR1 opens one until somebody listens to that signal. */
export type Start = {
  env: Environment
  execArgv: readonly string[]
  limits?: string | undefined
  isDebugged?: boolean
}

/** `refused`: not in production. What is not, is only worth a word: it is how most containers come. */
export type Danger = { setting: string; why: string; refused: boolean }

/** All of them that are on, by name and never with a value. */
export function dangerousSettings({ env, execArgv, limits = '', isDebugged = false }: Start): Danger[] {
  const flags = [...execArgv, ...words(env.NODE_OPTIONS)].map(nameOf)
  return [
    ...VARIABLES.filter(([name, isOn]) => isOn.test(env[name] ?? '')).map(([name, , why]) => refused(name, why)),
    ...[...new Set(flags)].flatMap((flag) =>
      FLAGS.filter(([is]) => is.test(flag)).map(([, why]) => refused(flag, why)),
    ),
    ...(isDebugged ? [refused('an open debugger', 'reads the memory')] : []),
    ...(writesCores(limits) ? [CORES] : []),
  ]
}

const VARIABLES: readonly (readonly [name: string, isOn: RegExp, why: string])[] = [
  ['NODE_TLS_REJECT_UNAUTHORIZED', /^0$/, 'has no certificate checked'],
  ['NODE_DEBUG', /./, 'prints requests with their cards'],
  ['NODE_DEBUG_NATIVE', /./, 'prints what is sent and received'],
  ['NODE_V8_COVERAGE', /./, 'writes what has run to the disk'],
  ['SSLKEYLOGFILE', /./, 'writes the keys of connections to the disk'],
  ['DEBUG', /[*:]|redis|express/i, 'prints Redis commands with their passwords'],
]

const FLAGS: readonly (readonly [is: RegExp, why: string])[] = [
  [/^--inspect(?!-port|-publish)/, 'lets a debugger read the memory'],
  [/^--heapsnapshot-/, 'writes the memory to the disk'],
  [/^--(heap|cpu)-prof$|^--prof$/, 'writes what has run to the disk'],
  [/^--report-(?!exclude)/, 'writes the environment with its keys to the disk'],
  [/^--abort-on-uncaught-exception$/, 'writes the memory to the disk'],
  [/^--trace-(?!warnings$|deprecation$)/, 'prints or writes what is sent and received'],
  [/^--tls-keylog/, 'writes the keys of connections to the disk'],
  [/^--tls-(min-v1\.[01]$|cipher-list)/, 'weakens TLS'],
  [/^--insecure-http-parser$/, 'takes what is no HTTP for an answer'],
  [/^--security-revert/, 'brings a hole of Node back'],
  [/^--experimental-(default-)?config-file$/, 'may hold any of these'],
]

const refused = (setting: string, why: string): Danger => ({ setting, why, refused: true })

const CORES: Danger = {
  setting: 'core dumps',
  why: 'write the memory to the disk when Node crashes: start with `ulimit -c 0` (Docker: `--ulimit core=0`)',
  refused: false,
}

/** The soft limit decides, and the kernel lets a process only ever lower it by itself; Node offers no way. */
const writesCores = (limits: string) => (/^Max core file size +(\S+)/m.exec(limits)?.[1] ?? '0') !== '0'

/** Node takes `--in"spect"` and `"--in\spect"` for `--inspect`. */
const words = (options = '') => options.replaceAll(/["'\\]/g, '').split(/\s+/)

/** Node takes `--heap_prof` for `--heap-prof`. */
const nameOf = (argument: string) => (argument.split('=')[0] as string).replaceAll('_', '-')
