import { createTrainer, nllLoss, type TextTokenizer } from '../models/index.js'
import type { TokenSequence, TrainingPart } from '../models/types.js'
import type { Random } from '../runtime/time/random.js'
import type { LearnerConfig } from './learner-config.js'
import type { Demonstration } from './world.js'

export function toSequence(tokenizer: TextTokenizer, prompt: string, completion: Int32Array): TokenSequence {
  const head = tokenizer.encode(prompt)
  const tokens = new Int32Array(head.length + completion.length)
  tokens.set(head)
  tokens.set(completion, head.length)
  return { tokens, promptLength: head.length }
}

/** Tokens and sequences that a part of a batch is padded to a multiple of: few graphs against little padding. */
const LENGTH_BUCKET = 16
const ROWS_BUCKET = 8

/** Supervised fine-tuning on demonstrations, one pass; loss on completions only. */
export function createSupervised(
  config: LearnerConfig,
  params: Float32Array,
  tokenizer: TextTokenizer,
  random: Random,
) {
  const { rows, threads, optimizer } = config.sft
  const totalSteps = Math.max(1, Math.ceil(config.demonstrations / rows))
  const trainer = createTrainer(config.model, params, nllLoss, {
    optimizer: { ...optimizer, totalSteps },
    engine: { ...config.engine, threads },
    rows: ROWS_BUCKET,
    lengthBucket: LENGTH_BUCKET,
  })
  let chunks = 0
  let steps = 0

  /** Random batches, each in parts of like length, so that little is padded and every batch has all kinds of examples. */
  function batches(sequences: readonly TokenSequence[]): TrainingPart[][] {
    const shuffled = random.stream('sft', chunks++).shuffle(sequences)
    return Array.from({ length: Math.ceil(shuffled.length / rows) }, (_, i) => {
      const parts = new Map<number, TokenSequence[]>()
      for (const sequence of shuffled.slice(i * rows, (i + 1) * rows)) {
        const part = Math.ceil(sequence.tokens.length / LENGTH_BUCKET)
        parts.set(part, [...(parts.get(part) ?? []), sequence])
      }
      return [...parts].sort(([a], [b]) => a - b).map(([, part]) => exampleMean(part))
    })
  }

  return {
    encode: ({ prompt, completion }: Demonstration): TokenSequence =>
      toSequence(tokenizer, prompt, tokenizer.encode(completion)),
    /** Trains on one chunk; returns its mean loss and the tokens that went through. */
    async train(sequences: readonly TokenSequence[], onStep: (loss: number, steps: number) => void) {
      let tokens = 0
      for (const batch of batches(sequences)) {
        const result = await trainer.accumulate(batch)
        tokens += result.tokens
        onStep(result.loss, ++steps)
      }
      return tokens
    },
    dispose: () => trainer.dispose(),
  }
}

/**
 * Weights that make the loss a mean over examples of each one's mean over its tokens: a short answer then counts as
 * much as a long judgment. (A mean over all tokens taught judging and left answering behind: see docs/results.)
 */
function exampleMean(sequences: readonly TokenSequence[]): TrainingPart {
  const data = Float32Array.from(sequences, ({ tokens, promptLength }) => 1 / Math.max(1, tokens.length - promptLength))
  return { sequences, extras: [{ shape: [sequences.length], data }], weight: sequences.length }
}
