import { TroupeError } from '../../runtime/index.js'
import { type Summary, scenarios } from '../../scenarios/index.js'

/** A scenario with settings: `rlaif`, or `rlaif:direct=true;staleness.max=0`. */
export interface Arm {
  readonly name: string
  readonly scenario: string
  readonly settings: readonly string[]
}

/** What one run of an arm came to. */
export interface Outcome {
  readonly arm: string
  readonly seed: number
  readonly commit: string
  /** Gold points of 5 of M1 and of the last model. */
  readonly first: number
  readonly last: number
  readonly gain: number
  /** Of the last model against M1, ties half. */
  readonly winRate: number
  readonly kl: number
  readonly lengths: readonly [number, number]
  readonly lagMean: number
  readonly seconds: number
}

export function armOf(text: string): Arm {
  const [scenario = '', settings] = text.split(/:(.*)/s)
  if (!Object.hasOwn(scenarios, scenario))
    throw new TroupeError('E_CONFIG', `unknown scenario "${scenario}"`, {
      hint: `It is one of: ${Object.keys(scenarios).join(', ')}`,
    })
  return { name: text, scenario, settings: settings ? settings.split(';') : [] }
}

export function outcomeOf(arm: Arm, seed: number, commit: string, summary: Summary): Outcome {
  const [first] = summary.iterations
  const last = summary.iterations.at(-1)
  if (!first || !last || first === last)
    throw new TroupeError('E_DATA', `${arm.name}, seed ${seed}: no model was trained after M1`)
  const [before, after] = [first.goldScore, last.goldScore]
  if (before === null || after === null)
    throw new TroupeError('E_DATA', `${arm.name}, seed ${seed}: nobody scored its models`, {
      hint: 'Choose a world with a gold scorer',
    })
  return {
    arm: arm.name,
    seed,
    commit,
    first: before,
    last: after,
    gain: after - before,
    winRate: last.goldWinRate?.mean ?? Number.NaN,
    kl: last.kl,
    lengths: [first.meanLength, last.meanLength],
    lagMean: summary.staleness.lag.mean,
    seconds: summary.durationMs / 1000,
  }
}
