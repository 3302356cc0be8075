import { createTrainer, nllLoss, type TextTokenizer } from '../models/index.js'
import type { TokenSequence } from '../models/types.js'
import type { Random } from '../runtime/time/random.js'
import type { LearnerConfig } from './learner-config.js'
import type { LearnerState } from './learner-state.js'
import type { Demonstration } from './world.js'

export function toSequence(tokenizer: TextTokenizer, prompt: string, completion: Int32Array): TokenSequence {
  const head = tokenizer.encode(prompt)
  const tokens = new Int32Array(head.length + completion.length)
  tokens.set(head)
  tokens.set(completion, head.length)
  return { tokens, promptLength: head.length }
}

/** Tokens and sequences that a batch is padded to a multiple of: few graphs against little padding. */
const LENGTH_BUCKET = 8
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

  /**
   * Sequences of like length share a batch, and batches come in random order. Little is padded; and as the kinds differ in
   * length, each kind has whole updates to itself, which taught answering better than batches that mix the kinds.
   */
  function batches(sequences: readonly TokenSequence[]): TokenSequence[][] {
    const chance = random.stream('sft', chunks++)
    const sorted = chance.shuffle(sequences).sort((a, b) => a.tokens.length - b.tokens.length)
    const count = Math.ceil(sorted.length / rows)
    return chance.shuffle(Array.from({ length: count }, (_, i) => sorted.slice(i * rows, (i + 1) * rows)))
  }

  return {
    encode: ({ prompt, completion, tokens = tokenizer.encode(completion) }: Demonstration): TokenSequence =>
      toSequence(tokenizer, prompt, tokens),
    /** Trains on one chunk; returns its mean loss and the tokens that went through. */
    async train(sequences: readonly TokenSequence[], onStep: (loss: number, steps: number) => void) {
      let tokens = 0
      for (const batch of batches(sequences)) {
        const result = await trainer.step(batch)
        tokens += result.tokens
        onStep(result.loss, ++steps)
      }
      return tokens
    },
    /** Brings `params` up to date. */
    pull: () => trainer.pull(),
    snapshot: async () => ({ chunks, steps, optimizer: await trainer.state() }),
    /** Goes on from a snapshot; `params` are set by then. */
    restore(state: NonNullable<LearnerState['supervised']>) {
      chunks = state.chunks
      steps = state.steps
      trainer.restore(state.optimizer)
    },
    dispose: () => trainer.dispose(),
  }
}
