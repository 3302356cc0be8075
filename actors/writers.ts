import { z } from 'zod'
import type { DecoderConfig } from '../models/config.js'
import type { EngineOptions, SamplingOptions } from '../models/types.js'
import { assert, TroupeError } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { PlannedPrompt, SampledCompletion, Writer } from './messages.js'
import { answerTokens, openPolicy, type Policy, type TextWriter } from './policy.js'
import type { World } from './world.js'

const n = z.int().min(1).max(64).default(1).describe('completions of each prompt')

/** Who writes the completions of a group, in their order. */
export const writersSchema = z
  .array(
    z.discriminatedUnion('by', [
      z.strictObject({ by: z.literal('policy'), n }),
      z.strictObject({ by: z.literal('first'), n }),
      z.strictObject({
        by: z.literal('mixture'),
        n,
        weight: z
          .number()
          .min(0)
          .max(1)
          .default(0.125)
          .describe('share of the first model in its mixture with the policy'),
      }),
      z.strictObject({ by: z.literal('people'), n }),
    ]),
  )
  .min(1)
  .refine((writers) => new Set(writers.map(({ by }) => by)).size === writers.length, 'each writer at most once')

export type WriterChoice = z.output<typeof writersSchema>[number]

interface WritersContext {
  readonly model: DecoderConfig
  readonly engine: EngineOptions
  readonly world: World
  readonly policy: Policy
  readonly random: Random
}

type WriteOptions = [sampling: Omit<SamplingOptions, 'stopTokens'>, control: Parameters<TextWriter['write']>[2]]

/**
 * Those who write: the policy, as it is followed; the frozen first model; their geometric mixture; and people, whose answers
 * the prompts bring. The policy's candidate i of a prompt draws from `random.stream(id).stream(i)`, whoever writes beside it; the
 * others' from `random.stream(by, id).stream(i)`.
 */
export function createWriters(choices: readonly WriterChoice[], context: WritersContext) {
  const { model, engine, world, policy, random } = context
  const by = (writer: Writer) => choices.some((choice) => choice.by === writer)
  let reference: Float32Array | undefined
  /** Writers that read the first model. */
  const further = new Map<Writer, TextWriter>()

  async function written(choice: WriterChoice, prompts: readonly PlannedPrompt[], options: WriteOptions) {
    if (choice.by === 'people') return prompts.map((prompt) => answersOf(prompt, choice.n))
    const writer = choice.by === 'policy' ? policy : further.get(choice.by)
    assert(writer, `the first model is there before ${choice.by} writes`)
    const groups = await writer.write(
      prompts.map(({ id, text }) => ({
        context: world.answerContext(text),
        n: choice.n,
        random: choice.by === 'policy' ? random.stream(id) : random.stream(choice.by, id),
      })),
      ...options,
    )
    return groups.map((group) =>
      group.map(({ text, tokens, logprobs, versions, finish }): SampledCompletion => {
        return { writer: choice.by, text, tokens, logprobs, ...(versions ? { versions } : {}), finish }
      }),
    )
  }

  function answersOf({ id, text: prompt, answers = [] }: PlannedPrompt, wanted: number): SampledCompletion[] {
    if (answers.length < wanted)
      throw new TroupeError('E_DATA', `prompt ${id} has ${answers.length} of people's answers, not ${wanted}`, {
        where: 'sampler',
        hint: 'The writer `people` takes what the data answer: ask for fewer, or give prompts with their answers',
      })
    return answers.slice(0, wanted).map((text) => {
      const tokens = answerTokens(world, policy.tokenizer, prompt, text)
      return { writer: 'people', text, tokens, logprobs: new Float32Array(tokens.length), finish: 'stop' }
    })
  }

  return {
    /** Whether the policy is read, alone or in the mixture. */
    followsPolicy: by('policy') || by('mixture'),
    /** Whether the first model is read and has not come yet. */
    get wantsReference(): boolean {
      return !reference && (by('first') || by('mixture'))
    },
    /** The frozen first model, where it is read. */
    get reference(): Float32Array | undefined {
      return reference
    },
    /** Takes the first model, a copy; `E_DATA` where it is of another shape. */
    hold(params: Float32Array): void {
      if (params.length !== policy.model.params.length)
        throw new TroupeError(
          'E_DATA',
          `the first model has ${params.length} parameters, the policy ${policy.model.params.length}`,
          { where: 'sampler' },
        )
      const own = params.slice()
      reference = own
      for (const choice of choices)
        if (choice.by === 'first') further.set('first', openPolicy(model, world, engine, { params: own }))
        else if (choice.by === 'mixture') further.set('mixture', policy.mixture(own, choice.weight))
    },
    /** The completions of each prompt, in the order of the writers. */
    async write(prompts: readonly PlannedPrompt[], ...options: WriteOptions): Promise<SampledCompletion[][]> {
      const groups: SampledCompletion[][] = prompts.map(() => [])
      for (const choice of choices)
        for (const [i, completions] of (await written(choice, prompts, options)).entries())
          groups[i]!.push(...completions)
      return groups
    },
    dispose: async () => {
      await Promise.all([policy, ...further.values()].map((writer) => writer.dispose()))
    },
  }
}
