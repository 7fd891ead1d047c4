import { describe, expect, it } from 'vitest'
import { findLockProblems, parseLockFile, readAllowedScripts, readLockFile } from './lock-file.ts'

const good = { version: '1.0.0', integrity: 'sha512-AAAA', license: 'MIT' }
const locked = (changes: object) =>
  parseLockFile({ lockfileVersion: 3, packages: { 'node_modules/guest': { ...good, ...changes } } })

describe('findLockProblems', () => {
  it('finds none in this repository', async () => {
    const packages = await readLockFile()

    expect(packages.length).toBeGreaterThan(100)
    expect(findLockProblems(packages, await readAllowedScripts())).toEqual([])
  })

  it('lets no package of this repository run a script when it is installed', async () => {
    expect(Object.values(await readAllowedScripts())).not.toContain(true)
  })

  it.each([
    ['no integrity', { integrity: undefined }, /no sha512/],
    ['a weak integrity', { integrity: 'sha1-AAAA' }, /no sha512/],
    ['git', { resolved: 'git+ssh://git@example.com/guest.git#abc' }, /public registry/],
    ['an archive on the web', { resolved: 'http://example.com/guest.tgz' }, /public registry/],
    ['a mirror', { resolved: 'https://mirror.example.com/guest/-/guest-1.0.0.tgz' }, /public registry/],
    ['a folder', { resolved: 'file:../guest' }, /public registry/],
    ['an install script', { hasInstallScript: true }, /allowScripts/],
  ])('finds %s', (_, changes, problem) => {
    expect(findLockProblems(locked(changes), {})).toEqual([expect.stringMatching(problem)])
  })

  it.each([
    ['of the public registry', { resolved: 'https://registry.npmjs.org/guest/-/guest-1.0.0.tgz' }],
    ['whose script is named', { hasInstallScript: true }],
  ])('finds nothing wrong with a package %s', (_, changes) => {
    expect(findLockProblems(locked(changes), { guest: false })).toEqual([])
  })
})

describe('parseLockFile', () => {
  it('refuses a lock file of another format', () => {
    expect(() => parseLockFile({ lockfileVersion: 2, packages: {} })).toThrow()
  })

  it('names a nested and an aliased package as the registry does', () => {
    const packages = {
      'node_modules/a/node_modules/@scope/b': good,
      'node_modules/alias': { ...good, name: 'real' },
      'apps/ours': { name: '@pay/ours', version: '0.1.0' },
    }

    const found = parseLockFile({ lockfileVersion: 3, packages })

    expect(found.map(({ name, ours }) => [name, ours])).toEqual([
      ['@scope/b', false],
      ['real', false],
      ['@pay/ours', true],
    ])
  })
})
