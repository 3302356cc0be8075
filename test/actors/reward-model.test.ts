import test from 'ava'
import type { z } from 'zod'
import { rewardModel } from '../../actors/index.js'
import type { JudgedBatch, JudgedGroup, ModelSnapshot } from '../../actors/messages.js'
import { seededRandom } from '../../runtime/index.js'
import { alone, COMMON, metricsNamed, untrained } from './fixtures/alone.js'
import { candidateBatch } from './fixtures/batches.js'
import { checkCuts, perform, type Step, storeWith } from './fixtures/cuts.js'
import { host } from './fixtures/host.js'
import { createWorld } from './fixtures/tiny-world.js'

const world = createWorld()
type Config = z.input<typeof rewardModel.config>
type Label = (answer: string) => number
const NOBODY = { start: -1, end: -1 }

const configOf = (more: Partial<Config> = {}): Config => ({
  ...COMMON,
  ...{ init: 'scratch', prompts: 1200, batch: 8, optimizer: { learningRate: 0.003 } },
  ...more,
})

const wordsOf = (text: string) => text.split(' ')
const longer: Label = (text) => wordsOf(text).length
const earlier: Label = (text) => wordsOf(text).filter((word) => 'ant bee cat dog eel'.includes(word)).length

/** `count` prompts with people's answers, scored by a label of the test's, or as people do. */
function pairsBatch(id: number, count: number, answers: number, label?: Label): JudgedBatch {
  const groups = world.preferences!(count, seededRandom(5, id), { answers }).map(
    (rated, i): JudgedGroup => ({
      ...{ promptId: `${id}.${i}`, prompt: rated.prompt, version: NOBODY, judgeVersion: NOBODY },
      completions: rated.answers.map((text) => ({
        ...{ writer: 'people' as const, text, finish: 'stop' as const },
        ...{ tokens: new Int32Array(1), logprobs: new Float32Array(1) },
      })),
      judgments: rated.answers.map((text, k) => {
        const score = label ? label(text) : rated.scores[k]!
        return { score, verdicts: [score], unreadable: 0 }
      }),
    }),
  )
  return { ...candidateBatch(id), groups }
}

const begin = (config: Partial<Config>) => host(rewardModel, { config: configOf(config), weights: storeWith() })
const sendAll = (input: string, messages: readonly unknown[]): Step[] => [
  ...messages.map((message) => ({ send: input, message })),
  { end: input },
]
const snapshot = (params: Float32Array): ModelSnapshot => ({
  ...{ name: 'M1', version: 0, params, pairs: 0, droppedTies: 0 },
})

for (const [kind, label, answers] of [
  ['pointwise', earlier, 2],
  ['pairwise', longer, 4],
] as const)
  test(`a ${kind} model learns what is preferred: more than nine of ten held-out pairs; candidates wait for it`, async (t) => {
    const pairs = Array.from({ length: 6 }, (_, id) => pairsBatch(id, 250, answers, label))
    const { out, answer, events } = await alone(rewardModel, 'judged', 'accuracy', {
      config: configOf({ kind, answers, prompts: 1500, label: { by: 'pairs' } }),
      inputs: { reference: [], pairs, candidates: [0, 1].map((id) => candidateBatch(id)) },
    })
    t.true(answer! > 0.9, String(answer))
    const accuracies = metricsNamed(events, 'reward_model/accuracy')
    t.is(accuracies.length, 7)
    t.is(accuracies.at(-1), answer!)
    const losses = metricsNamed(events, 'reward_model/loss')
    t.true(losses.at(-1)! < 0.4 && losses.at(-1)! < losses[0]!, `${losses}`)
    const found = out.flatMap(({ groups }) =>
      groups.flatMap(({ completions, comparisons = [] }) =>
        comparisons.flatMap(({ first, second, opinion }) => {
          const gap = label(completions[first]!.text) - label(completions[second]!.text)
          return gap === 0 ? [] : [{ first, second, right: gap > 0 === (opinion as number) > 0.5 }]
        }),
      ),
    )
    t.true(found.length > 3 && found.filter(({ right }) => right).length / found.length > 0.7)
  })

test('what is rated keeps its place and its versions, and no policy judged it', async (t) => {
  const { out } = await alone(rewardModel, 'judged', 'counts', {
    config: configOf(),
    inputs: { reference: [], pairs: [pairsBatch(0, 80, 2)], candidates: [candidateBatch(3, { minVersion: 2 })] },
  })
  const { groups, ...rest } = candidateBatch(3, { minVersion: 2 })
  t.like(out[0], rest)
  t.deepEqual(
    out[0]!.groups.map(({ judgments: _, ...group }) => group),
    groups.map((group) => ({ ...group, judgeVersion: NOBODY })),
  )
  for (const { judgments, completions } of out[0]!.groups) {
    t.is(judgments.length, completions.length)
    t.true(judgments.every(({ score, verdicts }) => Number.isFinite(score) && verdicts[0] === score))
  }
})

test('it begins as the model that comes first, and as no other', async (t) => {
  const scoresFrom = async (...references: Float32Array[]) => {
    const { out } = await alone(rewardModel, 'judged', 'counts', {
      config: configOf({ init: 'policy', optimizer: { learningRate: 1e-9 } }),
      inputs: { reference: references.map(snapshot), pairs: [pairsBatch(0, 60, 2)], candidates: [candidateBatch(0)] },
    })
    return out[0]!.groups.flatMap(({ judgments }) => judgments.map(({ score }) => score))
  }
  const [one, other] = [untrained(), untrained().map((value, i) => value * (1 + (i % 3)))]
  t.deepEqual(await scoresFrom(one), await scoresFrom(one, other))
  t.notDeepEqual(await scoresFrom(one), await scoresFrom(other))
})

for (const [kind, more] of [
  ['pointwise', {}],
  ['pairwise', { label: { by: 'tournament' as const } }],
] as const)
  test(`a ${kind} model put away anywhere goes on to the bit: before its model, in training, while rating`, async (t) => {
    t.timeout(60_000)
    const pairs = [1, 0, 2, 3].map((id) => ({ ...pairsBatch(id, 20, 3), lastOfUpdate: id !== 1 }))
    const { out, said } = await checkCuts(t, rewardModel, {
      config: configOf({ kind, init: 'policy', answers: 3, prompts: 80, ...more }),
      steps: [
        { send: 'reference', message: snapshot(untrained()) },
        ...sendAll('pairs', pairs),
        ...sendAll(
          'candidates',
          [0, 1].map((id) => candidateBatch(id)),
        ),
      ],
    })
    t.is(out.judged!.length, 2)
    t.is(said.filter((event) => 'name' in event && event.name === 'reward_model/loss').length, 3, 'three updates')
  })

test('a batch that comes again is dropped and counted; one that is given up leaves no gap', async (t) => {
  const actor = await begin({ prompts: 40 })
  await perform(
    actor,
    [0, 1, 0].map((id) => ({ send: 'pairs', message: pairsBatch(id, 20, 2) })),
  )
  t.like(await actor.actor.api!.counts!(), { prompts: 40, duplicates: 1 })
  t.deepEqual(actor.actor.setAside!('pairs', pairsBatch(2, 20, 2)), {})
  await perform(actor, [{ send: 'pairs', message: pairsBatch(3, 20, 2) }, { end: 'pairs' }])
  t.like(await actor.actor.api!.counts!(), { prompts: 60 })
  const { judged } = actor.actor.setAside!('candidates', candidateBatch(4)) as { judged: JudgedBatch }
  t.like(judged, { id: 4, groups: [], abandoned: ['4.0', '4.1'] })
})

for (const [what, config, steps, code, message] of [
  ['no model to begin as', { init: 'policy' }, [{ end: 'reference' }], 'E_CONFIG', /no model came/],
  ['no data', {}, [{ end: 'pairs' }], 'E_DATA', /no comparisons came/],
  [
    'more answers than announced',
    {},
    [{ send: 'pairs', message: pairsBatch(0, 4, 3) }],
    'E_CONFIG',
    /have 3 answers to a prompt, and only 2/,
  ],
] as const)
  test(`${what} is an error`, async (t) => {
    const actor = await begin(config)
    await t.throwsAsync(perform(actor, steps), { code, message })
  })

test('what could not work is refused before anything is trained; a state of another role by its key', async (t) => {
  await t.throwsAsync(begin({ kind: 'pairwise' }), { code: 'E_CONFIG', message: /no score of one/ })
  await t.throwsAsync(begin({ heldOut: 0 }), { code: 'E_CONFIG', message: /nothing to measure the scale/ })
  await t.notThrowsAsync(begin({ heldOut: 0, normalize: 'none' }))
  const state = { flat: new Float32Array(3) }
  await t.throwsAsync(host(rewardModel, { config: configOf(), weights: storeWith(), state }), {
    code: 'E_JOURNAL',
    message: /of the reward-model cannot be used: flat: not a float32 vector of 11232 elements/,
  })
})
