import { boundsText, type Claim, criterionOf } from '../../scenarios/claims/index.js'
import { renderTable } from '../table.js'
import { intervalText, type Outcome } from './outcome.js'

const left = { align: 'left' } as const
/** Wider texts are broken into lines between words. */
const WIDTH = 60

/** Each claim with the paper's figure and ours, a line a condition, and the verdicts. */
export function claimsTable(outcomes: readonly Outcome[]): string {
  return renderTable(
    [
      { head: '', ...left },
      { head: 'claim', ...left },
      { head: 'ours', ...left },
      { head: 'wanted', ...left },
      { head: '', ...left },
    ],
    outcomes.flatMap(({ claim, checks, verdict, records }) => [
      [
        claim.id,
        wrapped(claim.title),
        `${records.length} seed${records.length > 1 ? 's' : ''}`,
        '',
        verdict.toUpperCase(),
      ],
      ['', wrapped(`paper: ${claim.paper}`), '', '', ''],
      ...checks.map((check, i) => [
        '',
        wrapped(`- ${check.what}`),
        intervalText(check.interval),
        boundsText(claim.checks[i]!),
        check.verdict,
      ]),
    ]),
  )
}

/** What `--list` shows. */
export function claimsList(claims: readonly Claim[]): string {
  return claims.map((claim) => `${claim.id.padEnd(4)} ${claim.title}\n     ${criterionOf(claim)}`).join('\n')
}

function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line && line.length + word.length >= WIDTH) lines.push(word)
    else lines[lines.length - 1] = line ? `${line} ${word}` : word
  }
  return lines.join('\n')
}
