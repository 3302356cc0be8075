import { TroupeError } from '../runtime/kernel/errors.js'
import { layoutOf, type WeightLayout } from '../runtime/tensor/index.js'
import type { DecoderConfig } from './config.js'
import { paramLayout } from './layout.js'

/**
 * One number from the decoder's last hidden states. `value`: at every position, next to the log-probabilities; named
 * `v_head.summary` as in TRL's `AutoModelForCausalLMWithValueHead`. `reward`: at the end of a sequence, with no output
 * matrix beside it; named `score` and without a bias, as in transformers' `…ForSequenceClassification` with one label.
 */
export type HeadKind = 'value' | 'reward'

/** What the head sits on. A reward model has no output matrix: as if it were tied. */
export const trunkOf = (config: DecoderConfig, kind: HeadKind): DecoderConfig =>
  kind === 'reward' ? { ...config, tieWordEmbeddings: true } : config

/** Decoder and head as one flat vector: the decoder's entries, then the head's. Throws `E_CONFIG`. */
export function headLayout(config: DecoderConfig, kind: HeadKind): WeightLayout {
  const C = config.hiddenSize
  const head =
    kind === 'reward'
      ? [{ name: 'score.weight', shape: [1, C] }]
      : [
          { name: 'v_head.summary.weight', shape: [1, C] },
          { name: 'v_head.summary.bias', shape: [1] },
        ]
  return layoutOf([...paramLayout(trunkOf(config, kind)).entries, ...head])
}

/** Throws `E_CONFIG` when `flat` is not of this decoder and head. */
export function checkFlat(config: DecoderConfig, kind: HeadKind, flat: Float32Array): WeightLayout {
  const layout = headLayout(config, kind)
  if (flat.length !== layout.total)
    throw new TroupeError('E_CONFIG', `decoder and ${kind} head have ${layout.total} parameters, not ${flat.length}`, {
      where: 'model',
      hint: 'addHead puts a head after the parameters of a decoder',
    })
  return layout
}
