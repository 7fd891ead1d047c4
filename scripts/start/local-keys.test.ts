import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ledgerKey } from '@pay/ledger'
import { sealKeys } from '@pay/payment-queue'
import { afterAll, expect, it } from 'vitest'
import { localKeys } from './local-keys.ts'

const folder = join(mkdtempSync(join(tmpdir(), 'pay-keys-')), 'local')
afterAll(() => rmSync(join(folder, '..'), { recursive: true }))

it('makes the keys that are not given when they are first needed, for their owner alone, and finds them again', async () => {
  const first = await localKeys({}, folder)
  const texts = Object.values(first).map((path) => readFileSync(path, 'utf8'))

  const again = await localKeys({}, folder)

  expect(again).toEqual(first)
  expect(Object.values(again).map((path) => readFileSync(path, 'utf8'))).toEqual(texts)
  expect(ledgerKey.safeParse(readFileSync(first.LEDGER_KEY_FILE ?? '', 'utf8')).success).toBe(true)
  expect(sealKeys.safeParse(readFileSync(first.SEAL_KEYS_FILE ?? '', 'utf8')).success).toBe(true)
  for (const path of Object.values(first)) expect(statSync(path).mode & 0o077).toBe(0)
})

it('leaves alone what is given, as a variable or as a file', async () => {
  expect(await localKeys({ SEAL_KEYS: 'k1:...', LEDGER_KEY_FILE: '/run/key' }, folder)).toEqual({})
})
