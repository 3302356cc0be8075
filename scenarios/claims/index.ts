import type { Claim } from './claim.js'
import { averagedJudgmentsClaim } from './tabular/averaged-judgments.js'
import { bestOfNClaim } from './tabular/best-of-n.js'
import { deterministicPreferencesClaim } from './tabular/deterministic-preferences.js'
import { labelNoiseClaim } from './tabular/label-noise.js'
import { overOptimisationClaim } from './tabular/over-optimisation.js'
import { positionBiasClaim } from './tabular/position-bias.js'
import { rejectionSamplingClaim } from './tabular/rejection-sampling.js'

export { boundsText, criterionOf, type Judgement, judge } from './check.js'
export type { Claim, Figures, Trial } from './claim.js'

/** Every claim that can be tried, in the order of their numbers. */
export const claims: readonly Claim[] = [
  bestOfNClaim,
  rejectionSamplingClaim,
  deterministicPreferencesClaim,
  labelNoiseClaim,
  positionBiasClaim,
  averagedJudgmentsClaim,
  overOptimisationClaim,
]
