import type { Backend } from '../../runtime/tensor/index.js'
import type { Check } from './check.js'

/** What an experiment measured with one seed. A figure that could not be had is NaN. */
export type Figures = Readonly<Record<string, number>>

export interface Trial {
  readonly seed: number
  /** `quick`: about a minute or two a seed on two cores. `full`: three times as much. `tiny`: says only that it runs. */
  readonly scale: 'tiny' | 'quick' | 'full'
  readonly backend: Backend
  /** A folder in which runs are kept that several claims share. */
  readonly out: string
  /** The commit that is measured: what another one wrote there is not used. */
  readonly commit: string
  readonly signal: AbortSignal
  /** One line of progress. */
  readonly log: (line: string) => void
}

/**
 * A statement of the literature, and an experiment small enough to be repeated that could contradict it. What would count
 * as what is fixed here, in `checks`, before anything is measured.
 */
export interface Claim {
  /** As reference/methods.md numbers them: `C1` to `C40`. */
  readonly id: `C${number}`
  readonly title: string
  readonly statement: string
  /** The paper's figures, and where they are from. */
  readonly paper: string
  /** What is run here, and where it departs from the paper. */
  readonly setup: string
  /** How many unless the command is told; default 3. More where an experiment takes a second. */
  readonly seeds?: number
  /** Nothing in it is drawn at random: one seed says all, and figures are held to the bounds without an interval. */
  readonly isExact?: boolean
  /** The claim holds where all of them do. */
  readonly checks: readonly Check[]
  /** What else was tried, and what came of it. */
  readonly notes?: string
  experiment(trial: Trial): Promise<Figures>
}
