export {
  exactMatch,
  fiveBest,
  kendall,
  kendallTau,
  meanOf,
  pairAccuracies,
  pairAccuracy,
  type RankedScores,
  spearman,
  spearmanRho,
} from './agreement.js'
export { bestOfNKl, bestOfNWinRate } from './best-of-n.js'
export {
  type BootstrapOptions,
  type Interval,
  meanInterval,
  pairedBootstrap,
  pairedInterval,
} from './intervals.js'
export {
  byLength,
  type Comparison,
  type LengthBucket,
  type LengthControlled,
  lengthControlled,
} from './length-control.js'
export { fitBestOfN, fitReinforcement, type OverOptimisationFit } from './over-optimisation.js'
export { type BothOrders, type PositionBias, positionBias } from './position-bias.js'
export { type RaterAgreement, raterAgreement } from './rater-agreement.js'
export { pairedDifference, type WinRate, winRate } from './win-rate.js'
