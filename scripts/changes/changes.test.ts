import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { repository } from '../stack/service.ts'
import { addChange } from './add.ts'
import { readOptions } from './options.ts'
import { planRelease, release } from './release.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pay-changes-'))
  await mkdir(join(folder, '.changeset'))
  await writeFile(
    join(folder, 'package.json'),
    '{\n  "name": "connector",\n  "version": "0.1.0",\n  "private": true\n}\n',
  )
  execFileSync('git', ['init', '--quiet', folder])
})
afterEach(() => rm(folder, { recursive: true }))

test('the next version is the one that the greatest of the noted changes asks for', async () => {
  await addChange(folder, { type: 'patch', text: 'Declines are told at once.' })
  await addChange(folder, { type: 'minor', text: 'Payments can be listed.' })

  const plan = await planRelease(folder)

  expect(plan.releases).toMatchObject([{ name: 'connector', oldVersion: '0.1.0', newVersion: '0.2.0' }])
})

test('a release moves what was noted into CHANGELOG.md and raises the version', async () => {
  await addChange(folder, { type: 'minor', text: 'Payments can be listed.\n\nSee docs/payments.md.' })

  await release(folder)

  expect(await readFile(join(folder, 'CHANGELOG.md'), 'utf8')).toBe(
    '# connector\n\n## 0.2.0\n\n### Minor Changes\n\n- Payments can be listed.\n\n  See docs/payments.md.\n',
  )
  expect(await readFile(join(folder, 'package.json'), 'utf8')).toContain('"version": "0.2.0"')
  expect(await readdir(join(folder, '.changeset'))).toEqual([])
})

test('a release without a change is refused', async () => {
  await expect(release(folder)).rejects.toThrow('nothing to release')
})

test('what was noted in this repository can be released', async () => {
  const plan = await planRelease(repository)

  expect(plan.releases.map(({ name }) => name)).toEqual(plan.changesets.length > 0 ? ['payconex-pay-connector'] : [])
})

test.each([
  [['add'], 'add needs one of'],
  [['add', 'huge', 'text'], 'add needs one of'],
  [['add', 'minor', ' '], 'add needs one text'],
  [['add', 'minor', 'two', 'texts'], 'add needs one text'],
  [['publish'], 'unknown: publish'],
])('%j is refused', (args, message) => {
  expect(() => readOptions(args)).toThrow(message)
})
