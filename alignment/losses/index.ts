export { aot } from './aot.js'
export { binaryCringe, type CringeGateOptions, type CringeOptions, cringeContrast, pairwiseCringe } from './cringe.js'
export type { BoundPreferenceLoss, PairExtra, PreferenceLoss } from './define.js'
export { DPO_METRICS, type DpoOptions, dpo } from './dpo.js'
export {
  type GroupShape,
  pairRankerObjective,
  REWARD_MODEL_METRICS,
  RRHF_METRICS,
  type RrhfOptions,
  rewardModelObjective,
  rrhf,
} from './group-objectives.js'
export { type Correction, importanceWeights } from './importance.js'
export { type KtoOptions, kto, ktoReferencePoint } from './kto.js'
export { gapPerToken, ldWeights, lnDpo, rDpo, weightedSum } from './length.js'
export { hinge, hingeNorm, ipo } from './margin.js'
export { effectiveSampleSize, mismatch } from './mismatch.js'
export { discoPop, exo, robustDpo } from './noise.js'
export {
  type PairCorrection,
  PREFERENCE_METRICS,
  type PreferenceObjective,
  type PreferenceObjectiveOptions,
  preferenceObjective,
} from './objective.js'
export { geometricMixture, nashMd, xpo } from './online.js'
export { type PreferenceLossChoice, preferenceLoss, preferenceLossOption } from './option.js'
export { type LogRatios, logRatios, type PairLogprobs, perToken, preferenceGap } from './pair.js'
export { ppoPolicyLoss, ppoValueLoss, reinforce } from './policy-gradient.js'
export {
  NASH_MD_METRICS,
  type NashMdObjectiveOptions,
  nashMdObjective,
  PPO_EXTRAS,
  PPO_METRICS,
  type PpoOptions,
  ppo,
  REINFORCE_METRICS,
  type ReinforceOptions,
  reinforceObjective,
} from './policy-objectives.js'
export { bestNll, rrhfRank } from './rank.js'
export { apoDown, apoZero, bcoPair, nca, sppoHard } from './ratio.js'
export { orpo, simpo } from './reference-free.js'
export { type PreferenceLossName, preferenceLosses } from './registry/index.js'
export { preferencesOf, rewardRanking, softRewardLoss } from './reward-model.js'
export { logSigmoid, sigmoidPreferenceLoss } from './sigmoid.js'
export { stopGradient, withoutGradient } from './stop-gradient.js'
