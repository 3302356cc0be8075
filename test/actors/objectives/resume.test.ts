import test from 'ava'
import type { z } from 'zod'
import { learner } from '../../../actors/index.js'
import type { JudgedBatch, ModelSnapshot } from '../../../actors/messages.js'
import type { trainingSchema } from '../../../actors/training-config.js'
import { seededRandom } from '../../../runtime/index.js'
import { learnerConfigOf } from '../fixtures/alone.js'
import { judgedBatch } from '../fixtures/batches.js'
import { checkCuts, type Step } from '../fixtures/cuts.js'
import { createWorld } from '../fixtures/tiny-world.js'

type Training = z.input<typeof trainingSchema>

const demonstrations = {
  id: 0,
  demonstrations: createWorld().demonstrations({ ift: 12, eft: 0, prompts: 0 }, seededRandom(3, 'people')),
}

/** Two iterations of two updates; the answers are compared, too. */
function batchOf(update: number): JudgedBatch {
  const batch = judgedBatch(update, 0, {
    ...{ update, iteration: Math.floor(update / 2), lastOfUpdate: true, lastOfIteration: update % 2 === 1 },
  })
  const groups = batch.groups.map((group) => ({
    ...group,
    comparisons: [
      { first: 0, second: 1, opinion: 0.75 },
      { first: 1, second: 2, opinion: 'second' as const },
    ],
  }))
  return { ...batch, groups }
}

const steps: Step[] = [
  { send: 'demonstrations', message: demonstrations },
  { end: 'demonstrations' },
  ...[0, 1, 2, 3].map((update) => ({ send: 'judged', message: batchOf(update) })),
  { end: 'judged' },
]
/** In the first iteration and in the second. */
const cuts = [3, 5]

const replay = { rounds: 'all', rows: 2 } as const
const optimizer = { warmupSteps: 2, schedule: 'cosine' } as const
const mix = { rows: 2 }
const all = { rule: 'all' } as const

const cases: Readonly<Record<string, readonly Training[]>> = {
  'pairs with a running shift, replay and demonstrations': [
    { loss: { name: 'bco-pair' }, replay, mix, epochs: 2, rowsPerStep: 1, optimizer },
  ],
  'pairs with the first model as reference': [{ reference: 'first', optimizer }],
  'likelihood with replay and passes at an iteration’s end': [
    { objective: 'nll', selection: { rule: 'best' }, replay, mix, improve: [0.2, 0.5], optimizer },
  ],
  'ranking with replay': [{ objective: 'rank', completions: 3, selection: all, reference: 'first', replay, optimizer }],
  'PPO with a value head, epochs and demonstrations': [
    { objective: 'ppo', completions: 3, selection: all, reference: 'first', mix, epochs: 2, rowsPerStep: 4, optimizer },
  ],
  'REINFORCE with a correction': [
    { objective: 'reinforce', completions: 3, selection: all, correction: { kind: 'truncate' }, optimizer },
  ],
  'Nash-MD': [{ objective: 'nash-md', completions: 3, selection: all, optimizer }],
  'imitation, then PPO': [
    { objective: 'nll', selection: { rule: 'best' }, optimizer },
    { objective: 'ppo', completions: 3, selection: all, reference: 'first', optimizer },
  ],
  'PPO, then pairs': [
    { objective: 'ppo', completions: 3, selection: all, optimizer },
    { reference: 'first', optimizer },
  ],
}

for (const [what, training] of Object.entries(cases))
  test.serial(`put away anywhere, it goes on to the bit: ${what}`, async (t) => {
    const config = learnerConfigOf({
      sft: { rows: 8, optimizer: { warmupSteps: 1, learningRate: 0.01 } },
      ...{ training: [...training], demonstrations: 12, iterations: [4, 4], promptsPerUpdate: 2 },
      ...{ publishEvery: 1, staleness: 'iteration' },
    })
    const whole = await checkCuts(t, learner, { config, steps, cuts })
    const models = whole.out.snapshots as ModelSnapshot[]
    t.deepEqual(
      models.map(({ name }) => name),
      ['M1', 'M2', 'M3'],
    )
    t.notDeepEqual(models[0]!.params, models[1]!.params)
    t.notDeepEqual(models[1]!.params, models[2]!.params)
  })
