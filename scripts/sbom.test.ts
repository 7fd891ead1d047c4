import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { repository } from './stack/service.ts'
import { readLockFile } from './supply/lock-file.ts'

const execute = promisify(execFile)
const sbom = async (...args: string[]) =>
  (await execute(process.execPath, ['scripts/sbom.ts', ...args], { cwd: repository, maxBuffer: 16 * 1024 * 1024 }))
    .stdout

describe('npm run sbom', () => {
  let text: string

  beforeAll(async () => {
    text = await sbom()
  }, 60_000)

  it('is a CycloneDX bill of one application', () => {
    const { bomFormat, specVersion, serialNumber, metadata } = JSON.parse(text)

    expect({ bomFormat, specVersion }).toEqual({ bomFormat: 'CycloneDX', specVersion: '1.5' })
    expect(serialNumber).toMatch(/^urn:uuid:/)
    expect(metadata.component).toMatchObject({ type: 'application', name: 'payconex-pay-connector' })
  })

  it('names every package of the image with its version, address, licence and hash', () => {
    for (const component of JSON.parse(text).components) {
      expect(component.purl).toMatch(/^pkg:npm\/.+@\d+\.\d+\.\d+/)
      expect(component.licenses, component.purl).toHaveLength(1)
      if (!component.name.startsWith('@pay/') && !component.purl.startsWith('pkg:npm/%40pay/')) {
        expect(component.hashes, component.purl).toEqual([
          { alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) },
        ])
      }
    }
  })

  it('lists what `npm ci --omit=dev --omit=optional` installs, and nothing else', async () => {
    const listed: string[] = JSON.parse(text).components.map((found: { 'bom-ref': string }) => found['bom-ref'])

    const installed = (await readLockFile()).filter(
      ({ name, dev, devOptional, optional }) => !dev && !devOptional && !optional && name !== '@pay/e2e',
    )
    expect([...listed].sort()).toEqual([...new Set(installed.map(({ name, version }) => `${name}@${version}`))].sort())
    // Tools need these two, too, for which npm by itself leaves them out.
    expect(listed).toEqual(expect.arrayContaining([expect.stringMatching(/^debug@/), expect.stringMatching(/^tslib@/)]))
    expect(text).not.toMatch(/vitest|typescript@/)
  })

  it('depends on nothing that it does not list', () => {
    const { metadata, components, dependencies } = JSON.parse(text)
    const listed = new Set([metadata.component, ...components].map((found) => found['bom-ref']))

    for (const { ref, dependsOn } of dependencies)
      expect([ref, ...dependsOn].filter((name) => !listed.has(name))).toEqual([])
  })

  it('says nothing of this machine, and the same again into a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pay-sbom-'))

    await sbom('--output', join(folder, 'sbom.json'))

    const again = await readFile(join(folder, 'sbom.json'), 'utf8')
    await rm(folder, { recursive: true })
    expect(timeless(again)).toEqual(timeless(text))
    for (const place of [repository, homedir(), tmpdir(), 'file:', 'http://localhost'])
      expect(text).not.toContain(place)
  }, 60_000)
})

const timeless = (text: string) => {
  const { serialNumber, metadata, ...rest } = JSON.parse(text)
  return { ...rest, metadata: { ...metadata, timestamp: serialNumber && metadata.timestamp && 'then' } }
}
