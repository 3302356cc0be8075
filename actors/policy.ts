import type { DecoderConfig } from '../models/config.js'
import { createWordTokenizer, openMixture, openModel, paramLayout, type TextTokenizer } from '../models/index.js'
import type { Completion, EngineOptions, LanguageModel, SamplingOptions, WeightUpdates } from '../models/types.js'
import type { WeightStore } from '../runtime/tensor/weights.js'
import type { Random } from '../runtime/time/random.js'
import type { World } from './world.js'

/** What writes. */
export interface TextWriter {
  /**
   * For each context, `n` completions. Each draws from its own stream. Where weights are followed, completions carry the
   * version of each token: the one followed last, unless `inFlight` takes newer ones between decode steps.
   */
  write(
    requests: readonly WriteRequest[],
    sampling: Omit<SamplingOptions, 'stopTokens'>,
    control?: WriteControl,
  ): Promise<WrittenText[][]>
  dispose(): Promise<void>
}

/** A language model with its tokenizer, that follows the learner's weights. */
export interface Policy extends TextWriter {
  readonly model: LanguageModel
  readonly tokenizer: TextTokenizer
  /** Copies the newest published weights in and returns their version; cheap when there is nothing new. */
  follow(): number
  /** Takes these weights, which have that version, until `follow` is called. */
  hold(version: number, params: Float32Array): void
  /** Writes with the geometric mixture of this policy, as it is followed, and fixed weights (see `openMixture`). */
  mixture(fixed: Float32Array, weight: number): TextWriter
}

interface WriteControl {
  /** Ends the writing between two decode steps. */
  readonly signal?: AbortSignal | undefined
  /** Newer weights are taken while writing; keys and values that older ones wrote are kept, or recomputed. */
  readonly inFlight?: WeightUpdates['keys']
}

interface WriteRequest {
  readonly context: string
  readonly n: number
  readonly random: Random
}

export interface WrittenText extends Completion {
  /** Without markers. */
  readonly text: string
}

export function worldTokenizer({ tokenizer, words, markers }: World): TextTokenizer {
  return tokenizer ?? createWordTokenizer(words, markers)
}

/** An answer that people wrote as if it had been sampled, its end included. */
export function answerTokens(world: World, tokenizer: TextTokenizer, prompt: string, answer: string): Int32Array {
  return world.answerTokens?.(prompt, answer) ?? tokenizer.encode(`${answer} ${world.markers.end}`)
}

/** Opens a policy whose weights are `params` (fixed), or follow `weights` from whatever is published. */
export function openPolicy(
  config: DecoderConfig,
  world: World,
  engine: EngineOptions,
  from: { params: Float32Array } | { weights: WeightStore },
): Policy {
  const tokenizer = worldTokenizer(world)
  const params = 'params' in from ? from.params : new Float32Array(paramLayout(config).total)
  const model = openModel(config, params, engine)
  let version = -1
  function follow(): number {
    if ('weights' in from && from.weights.version() !== version) version = from.weights.follow(params)
    return version
  }

  function writerOf({ generate, dispose }: Pick<LanguageModel, 'generate' | 'dispose'>): TextWriter {
    return {
      async write(requests, sampling, { signal, inFlight } = {}) {
        const refresh = inFlight ? follow : () => version
        const updates = 'weights' in from ? { refresh, keys: inFlight } : undefined
        const written = await generate(
          requests.map(({ context, n, random }) => ({ prompt: tokenizer.encode(context), n, random })),
          { ...sampling, stopTokens: world.stopTokens ?? [config.eosTokenId] },
          { signal, updates },
        )
        return written.map((completions) =>
          completions.map((completion) => ({
            ...completion,
            text: tokenizer.decode(completion.tokens, { skipSpecial: true }),
          })),
        )
      },
      dispose,
    }
  }

  return {
    model,
    tokenizer,
    follow,
    hold(held, values) {
      params.set(values)
      version = held
    },
    mixture: (fixed, weight) => writerOf(openMixture(config, params, fixed, weight, engine)),
    ...writerOf(model),
  }
}
