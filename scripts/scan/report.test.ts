import { describe, expect, it } from 'vitest'
import { createReport, exitCodeOf, linesOf } from './report.ts'
import { createShapes } from './shapes.ts'

const VISA = '4111111111111111'

const createFresh = () => createReport(createShapes())

describe('a report', () => {
  it('names places without what was found in their names, on one line', () => {
    expect(createFresh().name(`card:${VISA}\n:${VISA}`)).toBe('card:<card number>\\x0a:<card number>')
  })

  it('of nothing is clean: 0', () => {
    const result = createFresh().result()

    expect(exitCodeOf(result)).toBe(0)
    expect(linesOf(result)).toEqual(['clean: 0 keys, 0 files, 0.0 MB looked through'])
  })

  it('of something that was not looked at is not clean: 2', () => {
    const report = createFresh()
    report.unseen('a log', 'EACCES')

    expect(exitCodeOf(report.result())).toBe(2)
    expect(linesOf(report.result()).join()).toContain('NOT SEEN  a log: EACCES')
    expect(linesOf(report.result()).join()).not.toContain('clean')
  })

  it('of a find is 1, whatever else there was, and a million of them are counted', () => {
    const report = createFresh()
    report.unseen('a log', 'EACCES')
    for (let at = 0; at < 1_000_000; at += 1) report.found({ kind: 'card number', at }, 'a core file')

    const lines = linesOf(report.result())

    expect(exitCodeOf(report.result())).toBe(1)
    expect(lines[0]).toBe('FOUND     card number: a core file, byte 0')
    expect(lines).toContain('FOUND     999000 more')
  })
})
