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
export { type Interval, pairedDifference, type WinRate, winRate } from './win-rate.js'
