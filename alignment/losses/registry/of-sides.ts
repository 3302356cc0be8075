import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { aot } from '../aot.js'
import { defineLoss, type PreferenceLoss } from '../define.js'
import { kto, ktoReferencePoint } from '../kto.js'
import { xpo } from '../online.js'
import { logRatios, preferenceGap } from '../pair.js'
import { apoDown, apoZero, bcoPair, nca, sppoHard } from '../ratio.js'
import { betaOf, onlyBeta, rewardScale, smoothing } from './parameters.js'

/** Losses that look at each side. */
export const ofSides = {
  'sppo-hard': defineLoss({
    summary: 'SPPO, hard labels (Wu et al. 2024, arXiv:2405.00675)',
    formula: '(lr_w − 1/(2β))² + (lr_l + 1/(2β))²',
    parameters: onlyBeta,
    rewardScale,
    perPair: (pair, o) => sppoHard(logRatios(pair), o.beta),
  }),
  nca: defineLoss({
    summary: 'NCA on pairs (Chen et al. 2024, arXiv:2402.05369)',
    formula: '−log σ(β·lr_w) − ½·log σ(−β·lr_w) − ½·log σ(−β·lr_l)',
    parameters: onlyBeta,
    rewardScale,
    perPair: (pair, o) => nca(logRatios(pair), o.beta),
  }),
  'bco-pair': defineLoss({
    summary: 'BCO on pairs (Jung et al. 2024, arXiv:2404.04656)',
    formula: '−log σ(β·lr_w − δ) − log σ(δ − β·lr_l); δ: running mean of β·lr',
    parameters: onlyBeta,
    needs: ['rewardShift'],
    rewardScale,
    perPair: (pair, o) => bcoPair(logRatios(pair), o.beta, pair.rewardShift),
  }),
  'apo-zero': defineLoss({
    summary: 'APO-zero (D’Oosterlinck et al. 2024, arXiv:2408.06266)',
    formula: '1 − σ(β·lr_w) + σ(β·lr_l)',
    parameters: onlyBeta,
    rewardScale,
    perPair: (pair, o) => apoZero(logRatios(pair), o.beta),
  }),
  'apo-down': defineLoss({
    summary: 'APO-down (D’Oosterlinck et al. 2024, arXiv:2408.06266)',
    formula: 'σ(β·lr_w) + 1 − σ(βh)',
    parameters: onlyBeta,
    rewardScale,
    perPair: (pair, o) => apoDown(logRatios(pair), o.beta),
  }),
  aot: defineLoss({
    summary: 'AOT (Melnyk et al. 2024, arXiv:2406.05882)',
    formula:
      '−(1 − ε)·log σ(β(a − b)) − ε·log σ(−β(a − b)); a, b: lr_w and lr_l of the batch, each sorted; paired: log π(y_w) − log π(y_l) and the same of ref',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      paired: z.boolean().default(false).describe('sort policy and reference gaps, not chosen and rejected ratios'),
      labelSmoothing: smoothing(0),
    }),
    isSeparable: false,
    rewardScale,
    perPair: (pair, o) => aot(pair, o.beta, o),
  }),
  kto: defineLoss({
    summary: 'KTO (Ethayarajh et al. 2024, arXiv:2402.01306), chosen as desirable and rejected as undesirable',
    formula: 'λ_D·(1 − σ(β(lr_w − z₀))) + λ_U·(1 − σ(β(z₀ − lr_l))); z₀ = max(0, mean lr of mismatched completions)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      desirableWeight: z.number().min(0).default(1).describe('λ_D'),
      undesirableWeight: z.number().min(0).default(1).describe('λ_U'),
    }),
    needs: ['mismatched'],
    isSeparable: false,
    rewardScale,
    perPair(pair, o) {
      const { chosen, rejected } = logRatios(pair)
      if (!pair.mismatched) throw new TypeError('kto needs the log-ratios of mismatched completions')
      const z0 = ktoReferencePoint(pair.mismatched, pair.weight)
      return tf.add(kto(chosen, tf.onesLike(chosen), z0, o), kto(rejected, tf.zerosLike(rejected), z0, o))
    },
  }),
  xpo: defineLoss({
    summary: 'XPO (Xie et al. 2024, arXiv:2405.21046): DPO plus a bonus for optimism',
    formula: '−log σ(βh) + α·log π(y_ref)',
    parameters: z.strictObject({
      beta: betaOf(0.1),
      alpha: z.number().min(0).default(1e-5).describe('α: weight of the bonus'),
    }),
    needs: ['referenceSide'],
    rewardScale,
    perPair(pair, o) {
      const side = pair.referenceSide
      if (!side) throw new TypeError('xpo needs to know which completion the reference wrote')
      const sample = tf.add(tf.mul(pair.chosen, side), tf.mul(pair.rejected, tf.sub(1, side)))
      return xpo(preferenceGap(pair), sample, o.beta, o.alpha)
    },
  }),
} satisfies Record<string, PreferenceLoss>
