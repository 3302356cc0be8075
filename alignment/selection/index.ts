export { aboveThreshold, bestOf, bestOfNCurve, REST_THRESHOLDS } from './best-of.js'
export { type Battle, battleMatrix, type EloOptions, eloRatings } from './elo.js'
export { judgmentPair, lengthTierPair, mostDisputed } from './meta-rewarding.js'
export { allPairs, type ChosenPair, firstWins, judgedPair, likelihoodRankedPairs, randomPairs } from './pair-rules.js'
export { meanVerdict, type PairChoice, selectPair } from './pairs.js'
export { acceptanceProbabilities, gumbelTopK, type RejectionOptions, rejectionSample } from './rejection.js'
export { type Match, type TournamentResult, tournament } from './tournament.js'
export {
  bothOrders,
  type Opinion,
  probabilityOf,
  probabilityOfTokens,
  type Verdict,
  verdictOf,
} from './verdict.js'
