import { type Claim, type Judgement, judge } from '../../scenarios/claims/index.js'
import { figure } from '../live/text.js'
import type { ClaimRecord } from './records.js'

const MOST_DECIMALS = 5

/** A claim with what was measured for it, and the verdict. */
export interface Outcome extends Judgement {
  readonly claim: Claim
  /** By rising seed. */
  readonly records: readonly ClaimRecord[]
}

/** The verdict on the kept figures; undefined where there are none. */
export function outcomeOf(claim: Claim, kept: Iterable<ClaimRecord>): Outcome | undefined {
  const records = [...kept].sort((a, b) => a.seed - b.seed)
  if (records.length === 0) return undefined
  return {
    claim,
    records,
    ...judge(
      claim,
      records.map(({ figures }) => figures),
    ),
  }
}

/** `0.53 [0.50, 0.56]`, to two digits of the half width; without the brackets where the interval is a point. */
export function intervalText({ mean, low, high }: { mean: number; low: number; high: number }): string {
  if (Number.isNaN(mean)) return 'not measured'
  if (low === high) return figure(mean)
  if (!Number.isFinite(low)) return `${figure(mean)} (one seed)`
  const decimals = Math.min(MOST_DECIMALS, Math.max(0, 1 - Math.floor(Math.log10((high - low) / 2))))
  const shown = (value: number) => value.toFixed(decimals).replace(/^-(?=0(\.0*)?$)/, '')
  return `${shown(mean)} [${shown(low)}, ${shown(high)}]`
}

/** Commits of its figures that are not the one given. */
export function otherCommits({ records }: Outcome, commit: string): string[] {
  return [...new Set(records.map((record) => record.commit))].filter((other) => other !== commit)
}
