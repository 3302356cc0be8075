import type { PreferenceLossChoice } from '../../../alignment/index.js'
import { type NumberPair, sigmoid, softplus } from './support.js'

/** A loss in float64, one pair at a time, straight from its formula. */
export interface ClosedForm {
  readonly choice: PreferenceLossChoice
  readonly loss: (pair: NumberPair) => number
  /** Values at the four pairs by the reference implementations. */
  readonly golden?: readonly number[]
}

const lrw = (p: NumberPair) => p.chosen - p.refChosen
const lrl = (p: NumberPair) => p.rejected - p.refRejected
const h = (p: NumberPair) => lrw(p) - lrl(p)
const gap = (p: NumberPair) => lrw(p) / p.chosenTokens - lrl(p) / p.rejectedTokens
const nlls = (x: number) => softplus(-x) // −log σ(x)
const logOdds = (mean: number) => Math.log(Math.exp(mean) / (1 - Math.exp(mean)))
const mixed = (z: number, right: number, wrong: number) => right * nlls(z) + wrong * nlls(-z)
const m = (z: number) => sigmoid(z / 0.05)
const dpo = (p: NumberPair) => nlls(0.1 * h(p))

const DPO = [0.6209570478, 0.6443966601, 0.7313501408, 0.543792604]
const CDPO = [0.6359570478, 0.6543966601, 0.7238501408, 0.576292604]
const ROBUST = [0.6022070478, 0.6318966601, 0.7407251408, 0.503167604]
const IPO_MEAN = [23.4686419753, 23.9321087293, 25.4184027778, 19.140625]
const SIMPO = [1.2809657033, 1.5463703264, 1.0482806128, 1.1127541759]

export const CLOSED_FORMS: readonly ClosedForm[] = [
  { choice: { name: 'dpo' }, loss: dpo, golden: DPO },
  { choice: { name: 'spin' }, loss: dpo, golden: DPO },
  { choice: { name: 'sigmoid-norm', gamma: 0.1 }, loss: dpo, golden: DPO },
  { choice: { name: 'cdpo' }, loss: (p) => mixed(0.1 * h(p), 0.9, 0.1), golden: CDPO },
  { choice: { name: 'robust-dpo' }, loss: (p) => mixed(0.1 * h(p), 0.9, -0.1) / 0.8, golden: ROBUST },
  { choice: { name: 'ipo' }, loss: (p) => (h(p) - 5) ** 2, golden: [12.25, 16, 33.0625, 3.0625] },
  { choice: { name: 'ipo', per: 'token' }, loss: (p) => (gap(p) - 5) ** 2, golden: IPO_MEAN },
  {
    choice: { name: 'hinge-norm', gamma: 0.1 },
    loss: (p) => Math.max(0, 1 - 0.1 * h(p)),
    golden: [0.85, 0.9, 1.075, 0.675],
  },
  { choice: { name: 'slic' }, loss: (p) => Math.max(0, 1 - p.chosen + p.rejected), golden: [2, 0, 2.75, 0] },
  { choice: { name: 'click' }, loss: (p) => Math.max(0, 15 - p.chosen + p.rejected) },
  {
    choice: { name: 'simpo' },
    loss: (p) => nlls((2 * p.chosen) / p.chosenTokens - (2 * p.rejected) / p.rejectedTokens - 1),
    golden: SIMPO,
  },
  {
    choice: { name: 'exo', labelSmoothing: 0.01 },
    loss(p) {
      const q = sigmoid(0.1 * h(p))
      return q * (Math.log(q) - Math.log(0.99)) + (1 - q) * (Math.log(1 - q) - Math.log(0.01))
    },
  },
  { choice: { name: 'sppo-hard' }, loss: (p) => (lrw(p) - 5) ** 2 + (lrl(p) + 5) ** 2 },
  {
    choice: { name: 'nca' },
    loss: (p) => nlls(0.1 * lrw(p)) + 0.5 * nlls(-0.1 * lrw(p)) + 0.5 * nlls(-0.1 * lrl(p)),
  },
  { choice: { name: 'bco-pair' }, loss: (p) => nlls(0.1 * lrw(p)) + nlls(-0.1 * lrl(p)) },
  { choice: { name: 'apo-zero' }, loss: (p) => 1 - sigmoid(0.1 * lrw(p)) + sigmoid(0.1 * lrl(p)) },
  { choice: { name: 'apo-down' }, loss: (p) => sigmoid(0.1 * lrw(p)) + 1 - sigmoid(0.1 * h(p)) },
  {
    choice: { name: 'discopop' },
    loss: (p) => (1 - m(0.1 * h(p))) * nlls(0.1 * h(p)) + m(0.1 * h(p)) * Math.exp(-0.1 * h(p)),
  },
  { choice: { name: 'ln-dpo' }, loss: (p) => nlls(5 * gap(p)) },
  {
    choice: { name: 'r-dpo', alpha: 0.02 },
    loss: (p) => nlls(0.1 * h(p) + 0.02 * (p.chosenTokens - p.rejectedTokens)),
  },
  {
    choice: { name: 'orpo', lambda: 0.25 },
    loss(p) {
      const [w, l] = [p.chosen / p.chosenTokens, p.rejected / p.rejectedTokens]
      return -w + 0.25 * nlls(logOdds(w) - logOdds(l))
    },
  },
]
