import test from 'ava'
import { evaluator } from '../../actors/index.js'
import type { ModelSnapshot } from '../../actors/messages.js'
import { seededRandom } from '../../runtime/index.js'
import { alone, COMMON, TINY_GOLD, trained, untrained } from './fixtures/alone.js'

const model = trained()

const evaluate = async (models: readonly Float32Array[], scorer: { gold?: typeof TINY_GOLD } = { gold: TINY_GOLD }) => {
  const snapshots = models.map((params, i): ModelSnapshot => {
    return { name: `M${i + 1}`, version: 7 * i, params, pairs: 10 + i, droppedTies: i }
  })
  const { out } = await alone(evaluator, 'evaluations', 'evaluations', {
    config: { ...COMMON, ...scorer, prompts: 40, samples: 4, judgeSet: 40 },
    inputs: { snapshots },
  })
  return out
}

test('a model is as good as itself, and at no distance from itself', async (t) => {
  const [first, again] = await evaluate([await model, await model])
  t.like(again, { name: 'M2', version: 7, pairs: 11, droppedTies: 1, kl: 0 })
  const { mean, wins, losses, ties } = again!.againstFirst!
  t.is(mean, 0.5)
  t.is(wins, losses, 'same chance, same answers')
  t.is(wins + ties + losses, 40 * 4 * 4, 'each answer against each')
  t.deepEqual(again!.againstPrevious, again!.againstFirst)
  t.deepEqual([again!.goldScore, again!.meanLength, again!.judge], [first!.goldScore, first!.meanLength, first!.judge])
  t.is(first!.kl, 0)
  t.is(first!.againstPrevious, undefined)
})

test('M1 is set against a second sampling of itself, which shows what no difference looks like', async (t) => {
  const againstFirst = (await evaluate([await model]))[0]!.againstFirst!
  t.true(againstFirst.low <= 0.5 && againstFirst.high >= 0.5)
  t.true(againstFirst.wins + againstFirst.losses > 0, 'not the same answers')
})

test('a better model wins against M1, a worse one loses', async (t) => {
  const [, better] = await evaluate([untrained(), await model])
  t.true(better!.againstFirst!.low > 0.6)
  const [good, worse, back] = await evaluate([await model, untrained(), await model])
  t.true(worse!.againstFirst!.high < 0.4)
  t.true(worse!.goldScore! < good!.goldScore! - 0.5)
  t.is(back!.againstFirst!.mean, 0.5)
  t.is(back!.againstPrevious!.mean, 1 - worse!.againstFirst!.mean)
})

test('a model that has changed is at a positive distance from M1, and further when it changed more', async (t) => {
  const params = await model
  const changed = (size: number) => {
    const random = seededRandom(1, 'changes')
    return params.map((value) => value + size * random.normal())
  }
  const [, near, far] = await evaluate([params, changed(0.02), changed(0.06)])
  t.true(near!.kl > 0.001, `${near!.kl}`)
  t.true(far!.kl > 3 * near!.kl, `${far!.kl} after ${near!.kl}`)
})

test('figures of agreement are of the judge, and verdicts that cannot be read are reported', async (t) => {
  const [unable, able] = await evaluate([untrained(), await model])
  t.true(unable!.judge.unreadable > 0.9)
  t.true(able!.judge.unreadable < 0.1)
  t.true(able!.judge.pairAccuracy! > 0.7, `${able!.judge.pairAccuracy}`)
})

test('without a scorer there is no score and no rate; length and distance stay', async (t) => {
  const models = [await model, untrained()]
  const scored = await evaluate(models)
  const unscored = await evaluate(models, {})
  for (const [i, { goldScore, againstFirst, againstPrevious, criteria, judge, ...rest }] of unscored.entries()) {
    t.deepEqual([goldScore, againstFirst, againstPrevious, criteria], [null, null, undefined, {}])
    t.is(judge.pairAccuracy, null)
    t.like(scored[i], rest)
  }
  t.true(unscored[1]!.kl > 0.1)
})
