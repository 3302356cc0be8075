export { type Advantages, type GaeOptions, gae } from './gae.js'
export { rlooAdvantages } from './rloo.js'
export { type TokenRewardOptions, tokenRewards, whiten } from './token-rewards.js'
