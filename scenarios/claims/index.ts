import type { Claim } from './claim.js'
import { averagedJudgmentsClaim } from './tabular/averaged-judgments.js'
import { bestOfNClaim } from './tabular/best-of-n.js'
import { deterministicPreferencesClaim } from './tabular/deterministic-preferences.js'
import { labelNoiseClaim } from './tabular/label-noise.js'
import { overOptimisationClaim } from './tabular/over-optimisation.js'
import { positionBiasClaim } from './tabular/position-bias.js'
import { rejectionSamplingClaim } from './tabular/rejection-sampling.js'
import { annotatorStrengthClaim, instructionClaim, rlaifClaim } from './trained/annotators.js'
import { dataSourceClaim, imitationClaim, negativesClaim } from './trained/data-sources.js'
import { forgettingClaim } from './trained/forgetting.js'
import {
  betterClassifierClaim,
  iterativeClaim,
  offlineOverOptimisesClaim,
  onlineBeatsOfflineClaim,
} from './trained/online-offline.js'
import { growClaim, priceOfKlClaim, sequentialClaim } from './trained/reward-models.js'
import { bothAxesClaim, judgeDataClaim, lengthBiasClaim } from './trained/self-rewarding.js'
import { spinClaim } from './trained/spin.js'
import { stalenessClaim } from './trained/staleness.js'

export { boundsText, criterionOf, type Judgement, judge } from './check.js'
export type { Claim, Figures, Trial } from './claim.js'
export { type Mark, type SurveyLine, type SurveyRow, surveyTable } from './survey.js'

/** Every claim that can be tried, in the order of their numbers. */
export const claims: readonly Claim[] = [
  bestOfNClaim,
  forgettingClaim,
  sequentialClaim,
  dataSourceClaim,
  imitationClaim,
  rejectionSamplingClaim,
  negativesClaim,
  deterministicPreferencesClaim,
  labelNoiseClaim,
  spinClaim,
  iterativeClaim,
  offlineOverOptimisesClaim,
  onlineBeatsOfflineClaim,
  annotatorStrengthClaim,
  instructionClaim,
  positionBiasClaim,
  bothAxesClaim,
  judgeDataClaim,
  averagedJudgmentsClaim,
  lengthBiasClaim,
  overOptimisationClaim,
  stalenessClaim,
  betterClassifierClaim,
  growClaim,
  rlaifClaim,
  priceOfKlClaim,
]
