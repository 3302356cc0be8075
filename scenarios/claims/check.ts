import { type Interval, meanInterval } from '../../alignment/index.js'
import type { Claim, Figures } from './claim.js'

/** One condition: a figure of each seed, and the range in which its mean must lie. */
export interface Check {
  /** The figure in words, with its unit. */
  readonly what: string
  readonly of: (figures: Figures) => number
  /** Bounds; infinite where there is none on that side. */
  readonly least: number
  readonly most: number
}

type Verdict = 'holds' | 'does not hold' | 'cannot tell'

interface CheckResult {
  readonly what: string
  /** Mean over the seeds with its 95 % interval. */
  readonly interval: Interval
  readonly seeds: number
  readonly verdict: Verdict
}

export interface Judgement {
  readonly verdict: Verdict
  readonly checks: readonly CheckResult[]
}

type Of = Check['of']

export const above = (what: string, of: Of, least: number): Check => ({ what, of, least, most: Infinity })
export const below = (what: string, of: Of, most: number): Check => ({ what, of, least: -Infinity, most })
export const within = (what: string, of: Of, least: number, most: number): Check => ({ what, of, least, most })

/**
 * The verdict on a claim from what each seed gave. A check holds where the 95 % t interval over the seeds lies within its
 * bounds, does not hold where it lies outside them, and cannot be told where it reaches over a bound (as that of a single
 * seed does, being infinite). The claim holds where all checks hold, and does not where one does not.
 */
export function judge(claim: Pick<Claim, 'checks' | 'isExact'>, seeds: readonly Figures[]): Judgement {
  const checks = claim.checks.map((check): CheckResult => {
    const values = seeds.map(check.of).filter((value) => !Number.isNaN(value))
    const spread = meanInterval(values)
    const interval = claim.isExact ? { mean: spread.mean, low: spread.mean, high: spread.mean } : spread
    return { what: check.what, interval, seeds: values.length, verdict: verdictOf(check, interval) }
  })
  const verdicts = checks.map(({ verdict }) => verdict)
  if (verdicts.includes('does not hold')) return { verdict: 'does not hold', checks }
  const isSure = verdicts.length > 0 && verdicts.every((verdict) => verdict === 'holds')
  return { verdict: isSure ? 'holds' : 'cannot tell', checks }
}

function verdictOf({ least, most }: Check, { low, high }: Interval): Verdict {
  if (low >= least && high <= most) return 'holds'
  return high < least || low > most ? 'does not hold' : 'cannot tell'
}

/** The bounds as a person writes them: `≥ 0`, `≤ 1.5`, `in [0.9, 1]`. */
export function boundsText({ least, most }: Check): string {
  if (most === Infinity) return `≥ ${least}`
  return least === -Infinity ? `≤ ${most}` : `in [${least}, ${most}]`
}

/** The criterion of a claim in a sentence. */
export function criterionOf({ checks, isExact }: Pick<Claim, 'checks' | 'isExact'>): string {
  const conditions = checks.map((check) => `${check.what} ${boundsText(check)}`).join('; ')
  return `${isExact ? 'Exactly' : 'With the whole 95 % interval over seeds'}: ${conditions}`
}
