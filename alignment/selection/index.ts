export { meanVerdict, type PairChoice, selectPair } from './pairs.js'
