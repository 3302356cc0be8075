import { z } from 'zod'
import { loadWorld, openWorld } from '../actors/shared.js'
import type { DemonstrationCounts, World } from '../actors/world.js'
import { seededRandom, TroupeError } from '../runtime/index.js'
import { ownPath } from './own-path.js'
import { worlds } from './worlds/index.js'

const PIECES = ['model', 'prompts', 'pairs', 'demonstrations', 'annotator'] as const

/** What of one's own a method can need: a folder, files, and somebody who rates. */
export type Piece = (typeof PIECES)[number]

const SHAPES: Readonly<Record<Piece, string>> = {
  model: '--set model=folder of a Hugging Face checkpoint',
  prompts: '--set prompts=file.jsonl (or .parquet) with prompt',
  pairs: '--set pairs=file.jsonl (or .parquet) with prompt, chosen and rejected',
  demonstrations: '--set demonstrations=file.jsonl (or .parquet) with prompt and completion',
  annotator: '--set remote.baseURL=… and remote.model=… (an OpenAI-compatible API), or --set annotator.module=URL',
}

/** Where a piece can be taken from when it is not given itself. */
const INSTEAD: Partial<Record<Piece, readonly Piece[]>> = {
  prompts: ['pairs', 'demonstrations'],
  demonstrations: ['pairs'],
}

/** Throws `E_CONFIG` that says in one sentence what a scenario lacks of one's own, and how to give it. */
export function requirePieces(scenario: string, needs: readonly Piece[], given: ReadonlySet<Piece>): void {
  const missing = needs.filter((piece) => ![piece, ...(INSTEAD[piece] ?? [])].some((one) => given.has(one)))
  if (missing.length === 0) return
  const names = new Intl.ListFormat('en', { type: 'conjunction' }).format(missing.map((piece) => NAMES[piece]))
  const ways = missing.map((piece) => SHAPES[piece]).join(', and ')
  throw new TroupeError('E_CONFIG', `scenario "${scenario}" needs ${names}; give ${ways}`)
}

const NAMES: Readonly<Record<Piece, string>> = {
  model: 'a model of your own',
  prompts: 'prompts',
  pairs: 'pairs',
  demonstrations: 'demonstrations',
  annotator: 'an annotator that can read your prompts',
}

/** Keys for data of one's own, the same in every scenario. */
export const ownDataKeys = {
  prompts: ownPath.optional().describe('own prompts: .jsonl or .parquet with prompt, or messages'),
  pairs: ownPath.optional().describe('own pairs: .jsonl or .parquet with prompt, chosen and rejected'),
}

/** Keys for demonstrations of one's own, beside how many there are of the world's. */
export const ownDemonstrationKeys = {
  from: ownPath
    .optional()
    .describe('own demonstrations: .jsonl or .parquet with prompt and completion; demonstrations=file is short for it'),
  epochs: z.int().min(0).default(1).describe('how often own demonstrations are trained on, instead of these numbers'),
}

type Reference = { readonly module: string; readonly options: Record<string, unknown> }

interface OwnDataConfig {
  readonly world: Reference
  readonly gold: Reference
  readonly model: { readonly from?: string | undefined }
  readonly prompts?: string | undefined
  readonly pairs?: string | undefined
  readonly demonstrations: DemonstrationCounts & { readonly from?: string | undefined; readonly epochs: number }
  /** Where the scenario has one. */
  readonly annotator?: Reference
  readonly remote?: unknown
}

/** The world of a run and what follows from whose it is. */
export interface RunWorld {
  readonly world: World
  readonly reference: Reference
  readonly demonstrations: DemonstrationCounts
  /** Rated answers to a prompt, at most: own pairs have two. */
  readonly mostAnswers: number
  /** Absent where nobody can score answers to one's own prompts. */
  readonly gold?: Reference | undefined
  /** Where training starts from. */
  readonly start?: string | undefined
}

/**
 * The world that is configured; or, where data or a model of one's own are given, the world of those files: its M1 is the
 * checkpoint, trained on demonstrations where a file of them is given. The default world's gold scorer and annotator cannot read
 * it. Throws `E_CONFIG` for what is missing, `E_DATA` for what cannot be used.
 */
export async function runWorld(scenario: string, config: OwnDataConfig, needs: readonly Piece[]): Promise<RunWorld> {
  const { prompts, pairs, model } = config
  const { from, epochs, ...demonstrations } = config.demonstrations
  const files = { model: model.from, prompts, pairs, demonstrations: from }
  const given = new Set(PIECES.filter((piece) => piece !== 'annotator' && files[piece] !== undefined))
  if (given.size === 0) {
    const gold = { ...config.gold, options: { ...config.world.options, ...config.gold.options } }
    return {
      world: await loadWorld(config.world),
      reference: config.world,
      demonstrations,
      mostAnswers: Number.POSITIVE_INFINITY,
      gold,
    }
  }
  const isOwn = (reference: Reference | undefined, usual: string) =>
    reference !== undefined && reference.module !== usual
  if (config.remote !== undefined || isOwn(config.annotator, worlds.default.annotator)) given.add('annotator')
  requirePieces(scenario, ['model', ...needs], given)
  if (prompts !== undefined && needs.includes('demonstrations'))
    throw new TroupeError('E_CONFIG', `scenario "${scenario}" takes its prompts from the demonstrations or pairs`, {
      where: 'prompts',
      hint: 'Leave out prompts: each must come with what people answered',
    })
  const reference = {
    module: isOwn(config.world, worlds.default.world) ? config.world.module : worlds.files.world,
    options: { ...config.world.options, ...definedOf(files) },
  }
  const world = await openWorld(reference)
  checkDrawn(world, needs)
  const own = from === undefined ? 0 : epochs * (world.demonstrationCount?.() ?? 0)
  return {
    world,
    reference,
    demonstrations: { ift: own, eft: 0, prompts: 0 },
    mostAnswers: 2,
    gold: isOwn(config.gold, worlds.default.gold) ? config.gold : undefined,
    start: model.from,
  }
}

/** Draws one of each, so that a side of the split with nothing in it is found before the run. */
function checkDrawn(world: World, needs: readonly Piece[]): void {
  const random = seededRandom(0, 'check')
  world.prompts(1, random, { heldOut: true })
  if (needs.includes('prompts')) world.prompts(1, random, { heldOut: false })
  if (needs.includes('pairs')) world.preferences?.(1, random, { answers: 2 })
}

/** `E_CONFIG` where what a judge (or a meta-judge, where there is one) reads and writes would not fit into the context of one's own model. */
export function checkJudging({ limits, judgeContext, metaContext, tokenizer }: World, isMeta = false): void {
  if (!tokenizer) return
  const isCompared = isMeta && metaContext !== undefined
  const question = tokenizer.encode(isCompared ? metaContext('', '', '', '') : judgeContext('', '')).length
  const written = isCompared ? 2 * limits.verdict + (limits.preference ?? 0) : limits.verdict
  const needed = question + limits.prompt + limits.answer + written
  if (needed > limits.context)
    throw new TroupeError(
      'E_CONFIG',
      `${isCompared ? 'comparing judgments' : 'judging'} needs ${needed} tokens, and ${limits.context} fit into the context`,
      {
        where: 'world.options.limits',
        hint: `The question alone has ${question}: lower prompt, answer and verdict, or choose a model with a longer context`,
      },
    )
}

const definedOf = (values: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
