import { createTrainer, nllLoss, type TextTokenizer } from '../models/index.js'
import type { TokenSequence } from '../models/types.js'
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
    rows,
  })
  let chunks = 0
  let steps = 0

  /** Sequences of like length share a batch, so little is padded; the order of batches is random. */
  function batches(sequences: readonly TokenSequence[]): TokenSequence[][] {
    const chance = random.stream('sft', chunks++)
    const sorted = chance.shuffle(sequences).sort((a, b) => a.tokens.length - b.tokens.length)
    const cut = Array.from({ length: Math.ceil(sorted.length / rows) }, (_, i) =>
      sorted.slice(i * rows, (i + 1) * rows),
    )
    return chance.shuffle(cut)
  }

  return {
    encode: ({ prompt, completion }: Demonstration): TokenSequence =>
      toSequence(tokenizer, prompt, tokenizer.encode(completion)),
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
    dispose: () => trainer.dispose(),
  }
}
