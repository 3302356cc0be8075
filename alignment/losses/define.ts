import type * as tf from '@tensorflow/tfjs-core'
import type { z } from 'zod'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { LogitsReader } from '../../runtime/tensor/loss.js'
import type { PairLogprobs } from './pair.js'

/** What a loss reads of a pair beside the log-probabilities of its two sides, by the name in {@link PairLogprobs}. */
export type PairExtra = 'mismatched' | 'rewardShift' | 'referenceSide'

/** A loss of the pairwise family whose parameters have their values. */
export interface BoundPreferenceLoss {
  readonly name: string
  /** False: log ref is not looked at, and may be given as zeros. */
  readonly usesReference: boolean
  readonly needs: readonly PairExtra[]
  /** False: the loss of a batch is not the mean of those of its parts, so a step must be one batch. */
  readonly isSeparable: boolean
  /** What log π − log ref is multiplied by to be reported as an implicit reward. */
  readonly rewardScale: number
  /** [P], of which the weighted mean is the batch's loss. */
  readonly perPair: (pair: PairLogprobs) => tf.Tensor
  /** Weights of the tokens in the policy's sums, in place of the mask [2P, length]. */
  readonly tokenWeights?: ((mask: tf.Tensor) => tf.Tensor) | undefined
  /** What it asks of the logits, beside log-probabilities (see `LossFunction`). */
  readonly ofLogits?: LogitsReader | undefined
}

export interface PreferenceLoss {
  /** Name and source, in a line. */
  readonly summary: string
  /** Of a pair, in the symbols of docs/methods/losses.md. */
  readonly formula: string
  /** Its parameters: each with its default, where there is one, and what it means. */
  readonly parameters: z.ZodObject
  /** `E_CONFIG` names the parameter that is wrong, missing or not this loss's. */
  bind(name: string, given?: Readonly<Record<string, unknown>>): BoundPreferenceLoss
}

interface Definition<Shape extends z.ZodRawShape> {
  readonly summary: string
  readonly formula: string
  readonly parameters: z.ZodObject<Shape>
  readonly usesReference?: boolean
  readonly needs?: readonly PairExtra[]
  readonly isSeparable?: boolean
  readonly rewardScale?: (options: z.output<z.ZodObject<Shape>>) => number
  readonly perPair: (pair: PairLogprobs, options: z.output<z.ZodObject<Shape>>) => tf.Tensor
  readonly tokenWeights?: (mask: tf.Tensor, options: z.output<z.ZodObject<Shape>>) => tf.Tensor
  readonly ofLogits?: LogitsReader
}

export function defineLoss<Shape extends z.ZodRawShape>(definition: Definition<Shape>): PreferenceLoss {
  const { summary, formula, parameters, usesReference = true, needs = [], isSeparable = true } = definition
  const { rewardScale, perPair, tokenWeights, ofLogits } = definition
  return {
    summary,
    formula,
    parameters: parameters as unknown as z.ZodObject,
    bind(name, given = {}) {
      const parsed = parameters.safeParse(given)
      if (!parsed.success) {
        const [issue] = parsed.error.issues
        const hint = `its parameters: ${Object.keys(parameters.shape).join(', ')}`
        throw new TroupeError('E_CONFIG', `loss ${name}: ${issue?.path.join('.')} ${issue?.message}`, { hint })
      }
      const options = parsed.data
      return {
        name,
        usesReference,
        needs,
        isSeparable,
        rewardScale: rewardScale?.(options) ?? 1,
        perPair: (pair) => perPair(pair, options),
        ofLogits,
        tokenWeights: tokenWeights && ((mask) => tokenWeights(mask, options)),
      }
    },
  }
}
