import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { certificateFile } from './certificate-file.ts'

const [one, another] = rootCertificates as readonly [string, string]

function problemsWith(content: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  const file = join(folder, 'ca.pem')
  writeFileSync(file, content)
  const read = certificateFile.safeParse(file)
  rmSync(folder, { recursive: true })
  return read.error?.issues.map(({ message }) => message) ?? []
}

describe('a file of certificates', () => {
  it.each([
    ['one', one],
    ['several, with words between them', `# ours\n${one}\n\n# theirs\r\n${another}`],
  ])('may hold %s', (_, content) => {
    expect(problemsWith(content)).toEqual([])
  })

  it.each([
    ['nothing', ''],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n'],
    ['half a certificate', one.slice(0, 200)],
    ['a certificate that is none', one.replace(/[A-Z]{2}/, '!!')],
    ['one good and one broken certificate', `${one}\n${another.slice(0, 300)}`],
  ])('that holds %s is refused', (_, content) => {
    expect(problemsWith(content)).toEqual(['the file must hold certificates in PEM'])
  })

  it('that is not there is refused for that alone', () => {
    const read = certificateFile.safeParse(join(tmpdir(), 'no', 'such', 'file'))

    expect(read.error?.issues.map(({ message }) => message)).toEqual(['the file cannot be read'])
  })
})
