import { styleText } from 'node:util'
import { type Conclusion, type Findings, QUESTIONS, type Question } from './findings.ts'

const MARKS = { yes: styleText('green', 'yes'), no: styleText('red', 'no '), unknown: styleText('yellow', '?  ') }

/** The table of findings, and what follows from them. */
export function showFindings(findings: Findings, { settings, reasons }: Conclusion): string {
  const rows = (Object.keys(QUESTIONS) as Question[]).map((question) => {
    const { holds, heard } = findings[question]
    return `  ${MARKS[holds]}  ${QUESTIONS[question].padEnd(72)}${heard}`
  })
  const follows = Object.entries(settings).map(([name, value]) => `  ${name}=${value}`)
  return [
    styleText('bold', 'What PayConex does for this account'),
    ...rows,
    '',
    styleText('bold', 'Settings of the worker that follow'),
    ...follows,
    ...reasons.map((reason) => `  - ${reason}`),
    '',
  ].join('\n')
}
