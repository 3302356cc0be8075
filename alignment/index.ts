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
export { DPO_METRICS, type DpoOptions, dpo } from './dpo.js'
export { createLedger, type Ledger, type LedgerCounts, type LedgerState } from './ledger.js'
export { effectiveSampleSize, mismatch } from './mismatch.js'
export { meanVerdict, type PairChoice, selectPair } from './pairs.js'
export { logSigmoid, sigmoidPreferenceLoss } from './preference-loss.js'
export { createPromptPool, greatestRougeL, type PromptPool } from './prompt-pool.js'
export { rougeL, rougeWords } from './rouge.js'
export { type LagSummary, type Lags, lagHistogram, lags, minVersionOf, type Span, summarizeLags } from './staleness.js'
export { type Interval, pairedDifference, type WinRate, winRate } from './win-rate.js'
