import { join } from 'node:path'
import test from 'ava'
import { resolveConfig } from '../../cli/config.js'
import { initParams, loadCheckpoint } from '../../models/index.js'
import { type RunEvent, seededRandom } from '../../runtime/index.js'
import { scenarios } from '../../scenarios/index.js'
import { requirePieces } from '../../scenarios/own-data.js'
import type { Summary } from '../../scenarios/summary.js'
import { scratch } from '../cli/fixtures/scratch.js'
import { writtenModel } from '../models/written.js'
import { jsonLines, ownModel, ownPrompts, PAIRS } from './fixtures/own-model.js'

const SMALL = [
  'iterations=[24]',
  'promptsPerUpdate=8',
  'batchSize=8',
  'evaluation.prompts=4',
  'evaluation.samples=2',
  'world.options.limits.answer=6',
  'world.options.heldOut=0.25',
  'training.optimizer.learningRate=0.02',
]
const LONGER = `annotator.module=${new URL('./fixtures/longer.js', import.meta.url).href}`

interface OwnRun {
  readonly summary: Summary
  readonly events: readonly RunEvent[]
  readonly out: string
}

/** What `troupe run <name> --set …` does, inline. */
async function run(name: string, settings: readonly string[], small: readonly string[] = SMALL): Promise<OwnRun> {
  const scenario = scenarios[name]!
  const { config } = resolveConfig(scenario, undefined, [...small, ...settings])
  const events: RunEvent[] = []
  const out = scratch()
  const { signal } = new AbortController()
  const observe = (event: RunEvent) => void events.push(event)
  const summary = await scenario.run({ config, seed: 1, stage: 'inline', backend: 'onnx', out, observe, signal })
  return { summary, events, out }
}

const metrics = ({ events }: OwnRun, name: string) =>
  events.flatMap((event) => (event.type === 'metric' && event.name === name ? [event.value] : []))

const original = initParams(writtenModel().config, seededRandom(4, 'own model'))

/** Distance of the weights of a run's model from those it started from, which are BF16. */
async function distance({ out }: OwnRun, name: string): Promise<number> {
  const { params } = await loadCheckpoint(join(out, 'checkpoints', name))
  return Math.max(...params.map((value, i) => Math.abs(value - original[i]!) / Math.max(1e-3, Math.abs(original[i]!))))
}

test('dpo on own pairs starts from the own model, learns the pairs, and leaves folders like that model’s', async (t) => {
  const model = await ownModel()
  const done = await run('dpo', [`model=${model}`, `pairs=${PAIRS}`, 'training.epochs=1'])
  t.deepEqual(
    done.summary.iterations.map(({ name, goldScore, goldWinRate }) => [name, goldScore, goldWinRate]),
    [
      ['M1', null, null],
      ['M2', null, null],
    ],
  )
  t.is(done.summary.samples.consumed, 24)
  t.true(metrics(done, 'rewards/margins').at(-1)! > metrics(done, 'rewards/margins')[0]!)
  t.is(done.summary.iterations[0]!.kl, 0)
  t.true(done.summary.iterations[1]!.kl > 0)
  t.true((await distance(done, 'M1')) <= 2 ** -8, 'M1 is the model itself')
  t.true((await distance(done, 'M2')) > 0.05)
  const [given, left] = [await loadCheckpoint(model), await loadCheckpoint(join(done.out, 'checkpoints', 'M2'))]
  t.deepEqual(left.config, given.config)
  t.deepEqual([left.dtype, left.stopTokens], ['BF16', [2, 3]])
  t.deepEqual(left.tokenizer!.files, given.tokenizer!.files)
})

test('oaif on own prompts: an own annotator prefers longer answers, and they become longer', async (t) => {
  const settings = [`model=${await ownModel()}`, `prompts=${ownPrompts()}`, LONGER, 'iterations=[160]']
  const done = await run('oaif', settings)
  const [first, last] = done.summary.iterations
  t.deepEqual([first!.goldScore, last!.goldScore], [null, null])
  t.true(last!.meanLength > first!.meanLength, `${first!.meanLength} to ${last!.meanLength}`)
})

test('own demonstrations train M1, so many times as is said', async (t) => {
  const rows = Array.from({ length: 40 }, (_, i) => ({
    prompt: `name ${'oak '.repeat((i % 8) + 1)}`,
    completion: 'fig elm',
  }))
  const settings = [
    `model=${await ownModel()}`,
    `demonstrations=${jsonLines('d.jsonl', rows)}`,
    'demonstrations.epochs=3',
  ]
  const done = await run('spin', [
    ...settings,
    'sft.optimizer.learningRate=0.02',
    'sft.optimizer.warmupSteps=0',
    'sft.rows=8',
  ])
  const losses = metrics(done, 'learner/sft_loss')
  t.true(losses.length > 0)
  t.true((await distance(done, 'M1')) > 0.05)
  t.is(done.summary.samples.consumed, 24)
})

test('a reward model of own pairs rates answers to own prompts', async (t) => {
  const settings = [`model=${await ownModel()}`, `prompts=${ownPrompts()}`, `pairs=${PAIRS}`]
  const done = await run('iterative-dpo', [...settings, 'rewardModel.prompts=40', 'iterations=[8]'])
  t.is(done.summary.iterations.length, 2)
})

test('self-rewarding on own prompts: a model that cannot judge has nothing to learn from', async (t) => {
  const small = [
    ...SMALL.filter((one) => !/^(batchSize|training)/.test(one)),
    ...['batch=8', 'generator.seedPrompts=8', 'generator.maxRougeL=1', 'evaluation.judgeSet=1'],
    ...['world.options.limits.verdict=4', 'world.options.limits.prompt=6', `prompts=${ownPrompts()}`],
  ]
  const { summary } = await run('self-rewarding', [`model=${await ownModel({ context: 256 })}`], small)
  t.is(summary.samples.consumed, 0)
  t.deepEqual(Object.keys(summary.samples.dropped), ['unreadable'])
  t.is(summary.iterations[0]!.judge.pairAccuracy, null)
  await t.throwsAsync(run('self-rewarding', [`model=${await ownModel()}`], small), {
    code: 'E_CONFIG',
    message: /^judging needs 98 tokens, and 64 fit/,
  })
  const meta = [`model=${await ownModel({ context: 180 })}`, 'meta=true', 'world.options.limits.verdict=40']
  await t.throwsAsync(run('self-rewarding', meta, small), {
    code: 'E_CONFIG',
    message: /^comparing judgments needs \d+ tokens, and 180 fit/,
  })
})

const missing: [name: string, settings: (model: string) => string[], message: string][] = [
  [
    'dpo',
    (model) => [`model=${model}`],
    'scenario "dpo" needs pairs; give --set pairs=file.jsonl (or .parquet) with prompt, chosen and rejected',
  ],
  [
    'dpo',
    () => [`pairs=${PAIRS}`],
    'scenario "dpo" needs a model of your own; give --set model=folder of a Hugging Face checkpoint',
  ],
  [
    'oaif',
    (model) => [`model=${model}`, LONGER],
    'scenario "oaif" needs prompts; give --set prompts=file.jsonl (or .parquet) with prompt',
  ],
  [
    'spin',
    (model) => [`model=${model}`, `prompts=${ownPrompts()}`],
    'scenario "spin" needs demonstrations; give --set demonstrations=file.jsonl (or .parquet) with prompt and completion',
  ],
]

test('what is missing is said in one sentence', async (t) => {
  const model = await ownModel()
  for (const [name, settings, message] of missing)
    await t.throwsAsync(run(name, settings(model)), { code: 'E_CONFIG', message })
  await t.throwsAsync(run('oaif', [`model=${model}`, `prompts=${ownPrompts()}`]), {
    code: 'E_CONFIG',
    message: /^scenario "oaif" needs an annotator that can read your prompts; give --set remote\.baseURL/,
  })
  await t.throwsAsync(run('spin', [`model=${model}`, `prompts=${ownPrompts()}`, `pairs=${PAIRS}`]), {
    code: 'E_CONFIG',
    message: /^scenario "spin" takes its prompts from the demonstrations or pairs$/,
  })
  t.throws(() => requirePieces('rlhf', ['model', 'prompts', 'pairs'], new Set()), {
    message:
      /^scenario "rlhf" needs a model of your own, prompts, and pairs; give --set model=.*, and --set prompts=.*, and --set pairs=/,
  })
  t.notThrows(() => requirePieces('spin', ['prompts', 'demonstrations'], new Set(['pairs'])))
})

test('data without anything held out are refused before the run', async (t) => {
  const prompts = jsonLines('one.jsonl', [{ prompt: 'name oak' }])
  const settings = [`model=${await ownModel()}`, `prompts=${prompts}`, LONGER, 'world.options.heldOut=0']
  await t.throwsAsync(run('oaif', settings), { code: 'E_DATA', message: /no prompts that are held out/ })
})
