export { fitPairs, type PairFitOptions } from './fit-pairs.js'
export { type NashMdOptions, nashMdStep } from './nash-md.js'
export { geometricMix, klDivergence, normalised, optimalPolicy, spinStep } from './policy.js'
