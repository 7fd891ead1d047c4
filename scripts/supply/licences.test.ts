import { describe, expect, it } from 'vitest'
import { checkLicences, exceptions } from './licences.ts'
import { type Locked, parseLockFile, readLockFile } from './lock-file.ts'

const withExceptions = Object.fromEntries(
  Object.keys(exceptions).map((name) => [`node_modules/${name}`, { version: '1.0.0', dev: true }]),
)
const locked = (guest: object): Locked[] =>
  parseLockFile({
    lockfileVersion: 3,
    packages: { ...withExceptions, 'node_modules/guest': { version: '1.0.0', ...guest } },
  })

describe('checkLicences', () => {
  it('finds nothing wrong in this repository', async () => {
    const { rows, problems } = checkLicences(await readLockFile())

    expect(problems).toEqual([])
    expect(rows[0]?.licence).toBe('MIT')
  })

  it.each(['MIT', 'Apache-2.0', 'MIT OR GPL-3.0-only', 'MIT AND ISC'])('lets %s run with payments', (license) => {
    expect(checkLicences(locked({ license })).problems).toEqual([])
  })

  it.each(['GPL-3.0-only', 'MPL-2.0', 'MIT AND GPL-3.0-only', '(MIT OR ISC) AND SSPL-1.0', 'SEE LICENSE IN x', ''])(
    'does not let "%s" run with payments',
    (license) => {
      expect(checkLicences(locked({ license })).problems).toEqual([`guest@1.0.0 (production): ${license}`])
    },
  )

  it('lets tools be under more licences', () => {
    expect(checkLicences(locked({ license: 'MPL-2.0', dev: true })).problems).toEqual([])
  })

  it.each(['AGPL-3.0-only', undefined])('does not let a tool be under %s', (license) => {
    const { problems } = checkLicences(locked({ license, dev: true }))

    expect(problems).toEqual([`guest@1.0.0 (development): ${license ?? 'unknown'}`])
  })

  it('finds an exception that nothing needs any more', () => {
    const packages = parseLockFile({
      lockfileVersion: 3,
      packages: { ...withExceptions, 'node_modules/ssh2': { version: '2.0.0', license: 'MIT', dev: true } },
    })

    expect(checkLicences(packages).problems).toEqual(['ssh2: needs no exception any more'])
  })
})
