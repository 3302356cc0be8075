import test from 'ava'
import { learner, metaJudge } from '../../actors/index.js'
import { disputeOf, settle } from '../../actors/judgment-battles.js'
import type { JudgedBatch, JudgedGroup, ModelSnapshot, WrittenJudgment } from '../../actors/messages.js'
import type { Opinion } from '../../alignment/index.js'
import { seededRandom } from '../../runtime/index.js'
import { alone, COMMON, learnerConfigOf, metricsNamed, untrained } from './fixtures/alone.js'
import { judgedBatch } from './fixtures/batches.js'
import { checkCuts, perform, snapshotOf, storeWith } from './fixtures/cuts.js'
import { host } from './fixtures/host.js'
import { createWorld, JUNK } from './fixtures/tiny-world.js'

const world = createWorld()
const POINTS = 'zero one two three four five'.split(' ')

/** As long as `length` tokens; without score it could not be read. */
function judgment(score: number | undefined, length = 3): WrittenJudgment {
  const tokens = Int32Array.from({ length }, (_, i) => world.words.indexOf(['score', POINTS[score ?? 0]!, '</s>'][i]!))
  return { text: `score ${POINTS[score ?? 0]}`, tokens, logprobs: new Float32Array(length).fill(-0.5), score }
}

/** Nonsense as answer to a prompt, which is worth nothing, with these judgments. */
function junk(id: string, texts: readonly WrittenJudgment[], version = 0): JudgedGroup {
  const verdicts = texts.flatMap(({ score }) => (score === undefined ? [] : [score]))
  const completion = { text: JUNK, tokens: new Int32Array(3), logprobs: new Float32Array(3), finish: 'stop' as const }
  const span = { start: version, end: version }
  return {
    ...{ promptId: id, prompt: 'copy ant bee', completions: [completion], version: span, judgeVersion: span },
    judgments: [{ score: 1, verdicts, unreadable: texts.length - verdicts.length, texts }],
  }
}
const batchOf = (groups: readonly JudgedGroup[], more: Partial<JudgedBatch> = {}): JudgedBatch => ({
  ...judgedBatch(0, 0),
  groups,
  ...more,
})

/** A model of the tiny world that has seen judgments of nonsense compared: to learn more of it, one layer is too few. */
const model = (async () => {
  const counts = { ift: 0, eft: 0, prompts: 0, meta: 8000 }
  const all = world.demonstrations(counts, seededRandom(1, 'people'))
  const demonstrations = all.filter(({ prompt }) => prompt.includes(`<answer> ${JUNK} <judge>`))
  const { out } = await alone(learner, 'snapshots', 'accounts', {
    config: learnerConfigOf({ demonstrations: demonstrations.length }),
    inputs: { demonstrations: [{ id: 0, demonstrations }], judged: [] },
  })
  return out[0]!.params
})()

const compared = async (batch: JudgedBatch, more = {}) => {
  const { out, answer, events } = await alone(metaJudge, 'judged', 'counts', {
    config: { ...COMMON, ...more },
    inputs: { judged: [batch] },
    weights: { version: 3, params: await model },
  })
  return { batch: out[0]!, counts: answer, events }
}

/** What comes of battles between judgments of these lengths, by the opinions in the order in which they are asked for. */
function settled(opinions: readonly Opinion[], lengths: readonly number[], maxLength = 9) {
  const dispute = disputeOf(
    junk(
      'a',
      lengths.map((length, i) => judgment(i, length)),
    ),
  )!
  const outcome = settle(dispute, opinions, maxLength)
  return typeof outcome === 'string' ? outcome : [outcome.chosen.score, outcome.rejected.score]
}

test('every two readable judgments that differ meet in both orders, of the answer with the greatest variance', (t) => {
  const twice = junk('a', [judgment(2), judgment(3), judgment(3), judgment(undefined)])
  const wide = junk('a', [judgment(4), judgment(0), judgment(4), judgment(5), judgment(undefined)])
  const group = {
    ...twice,
    completions: [...twice.completions, { ...wide.completions[0]!, text: 'ant bee' }],
    judgments: [...twice.judgments, ...wide.judgments],
  }
  const dispute = disputeOf(group)!
  t.is(dispute.answer, 'ant bee')
  t.deepEqual(
    dispute.players.map(({ score }) => score),
    [4, 0, 5],
  )
  t.deepEqual(
    dispute.battles.map(({ first, second }) => [first, second]),
    [
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 2],
      [2, 0],
      [2, 1],
    ],
  )
  t.is(disputeOf(junk('a', [judgment(3), judgment(3)])), undefined, 'nothing is disputed')
  t.is(disputeOf(junk('a', [judgment(3), judgment(undefined)])), undefined)
})

test('a meta-judge that always takes the first has said nothing; two that agree in both orders decide', (t) => {
  t.is(settled(['first', 'first'], [3, 3]), 'tie')
  t.is(settled(['invalid', 'invalid'], [3, 3]), 'tie')
  t.deepEqual(settled(['first', 'second'], [3, 3]), [0, 1])
  t.deepEqual(settled(['second', 'first'], [3, 3]), [1, 0])
})

test('a win from the place that wins less often weighs more, and that decides who is worst', (t) => {
  // 3 wins of the first, 1 of the second: weights ¼ and ¾. By unweighted wins 1 would be worst, which lost to 0.
  const opinions: Opinion[] = ['first', 'second', 'invalid', 'first', 'invalid', 'first']
  t.deepEqual(settled(opinions, [3, 3, 3]), [2, 0])
})

test('a pair is dropped where the chosen judgment is too long, not where the rejected one is', (t) => {
  t.is(settled(['first', 'second'], [7, 3], 6), 'long')
  t.deepEqual(settled(['first', 'second'], [6, 7], 6), [0, 1])
})

test('a policy that has learnt to compare takes the judgment that is right, the one with the least score', async (t) => {
  const groups = Array.from({ length: 12 }, (_, i) =>
    junk(`${i}`, i % 2 ? [judgment(5), judgment(0), judgment(3)] : [judgment(0), judgment(4)], 3),
  )
  const { batch, counts, events } = await compared(batchOf(groups))
  const pairs = batch.groups.flatMap(({ judgePairs }) => judgePairs!)
  t.true(pairs.length > 8, `${pairs.length} pairs`)
  const right = pairs.filter(({ chosen }) => chosen.score === 0).length
  t.true(right > 0.8 * pairs.length, `${right} of ${pairs.length}`)
  for (const { context, chosen, rejected } of pairs) {
    t.is(context, world.judgeContext('copy ant bee', JUNK))
    t.not(chosen.score, rejected.score)
    t.deepEqual(chosen.logprobs, new Float32Array(3).fill(-0.5), 'as it was written')
  }
  t.like(counts, { disputes: 12, compared: 6 * 2 + 6 * 6, pairs: pairs.length })
  t.is(counts.pairs + counts.ties + counts.long, 12)
  const last = (name: string) => metricsNamed(events, name).at(-1)
  t.is(last('meta/higher_score_rate'), counts.higher / pairs.length)
  t.is(last('meta/first_rate'), counts.first / (counts.compared - counts.unreadable))
})

test('comparisons of a prompt are the same whatever prompts come with it', async (t) => {
  const groups = ['a', 'b', 'c', 'd'].map((id) => junk(id, [judgment(1), judgment(0), judgment(2)], 3))
  const sampling = { temperature: 2, topP: 1 }
  const together = (await compared(batchOf(groups), { sampling })).batch.groups
  const apart = await Promise.all(groups.map(async (group) => (await compared(batchOf([group]), { sampling })).batch))
  t.deepEqual(
    apart.flatMap((batch) => batch.groups),
    together,
  )
})

test('texts end here; later iterations pass through without pairs, and without work', async (t) => {
  const batch = batchOf([junk('a', [judgment(5), judgment(0)], 3)], { iteration: 2 })
  const { batch: passed, counts } = await compared(batch)
  const [group] = passed.groups
  t.is(group!.judgePairs, undefined)
  t.deepEqual(group!.judgments, [{ score: 1, verdicts: [5, 0], unreadable: 0 }])
  t.is(counts.compared, 0)
  const [own] = (await compared({ ...batch, iteration: 1 })).batch.groups
  t.false('texts' in own!.judgments[0]!)
  t.is(own!.judgePairs!.length, 1)
})

test('a batch that cannot be worked on keeps its scores', async (t) => {
  const comparing = await host(metaJudge, { config: COMMON, weights: storeWith() })
  const batch = batchOf([junk('a', [judgment(5), judgment(0)])])
  const { judged } = comparing.actor.setAside!('judged', batch) as { judged: JudgedBatch }
  t.deepEqual(judged.groups[0]!.judgments, [{ score: 1, verdicts: [5, 0], unreadable: 0 }])
  t.is(judged.abandoned, undefined)
})

test('the meta-judge waits for the version that judged', async (t) => {
  const weights = storeWith({ version: 3, params: untrained() })
  const comparing = await host(metaJudge, { config: COMMON, weights })
  comparing.send('judged', batchOf([junk('a', [judgment(5), judgment(0)], 4)]))
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(comparing.out.judged, [])
  weights.publish(4, untrained())
  await comparing.settled()
  t.is(comparing.out.judged!.length, 1)
})

test('a meta-judge put away anywhere goes on to the bit', async (t) => {
  const batches = [0, 1, 2].map((id) =>
    batchOf([junk(`${id}`, [judgment(5), judgment(0), judgment(2)])], { id, iteration: id }),
  )
  const { out } = await checkCuts(t, metaJudge, {
    config: COMMON,
    steps: [...batches.map((message) => ({ send: 'judged', message })), { end: 'judged' }],
    published: { version: 0, params: await model },
  })
  t.is(out.judged!.length, 3)
})

test('a learner trains on judge pairs also where answers tie, and keeps those that wait in a snapshot', async (t) => {
  const config = learnerConfigOf({ iterations: [4], promptsPerUpdate: 4, staleness: 'iteration' })
  const pair = { context: world.judgeContext('copy ant bee', JUNK), chosen: judgment(0), rejected: judgment(5) }
  const tied = (id: number, judgePairs: JudgedGroup['judgePairs']) => {
    const batch = judgedBatch(id, 0, { update: 0, lastOfUpdate: id === 1, lastOfIteration: id === 1 })
    const groups = batch.groups.map((group) => ({
      ...group,
      judgments: group.judgments.map((own) => ({ ...own, score: 3 })),
      ...(judgePairs ? { judgePairs } : {}),
    }))
    return { send: 'judged', message: { ...batch, groups } }
  }
  const begin = (state?: unknown) => host(learner, { config, weights: storeWith(), state })
  const trainOn = async (judgePairs: JudgedGroup['judgePairs'], isCut: boolean) => {
    let actor = await begin()
    await perform(actor, [{ end: 'demonstrations' }, tied(0, judgePairs)])
    if (isCut) {
      actor = await begin(await snapshotOf(actor))
      await perform(actor, [{ end: 'demonstrations' }])
    }
    await perform(actor, [tied(1, judgePairs), { end: 'judged' }])
    return { said: actor.said, last: (actor.out.snapshots as ModelSnapshot[]).at(-1)! }
  }
  const [without, whole, cut] = [
    await trainOn(undefined, false),
    await trainOn([pair], false),
    await trainOn([pair], true),
  ]
  t.deepEqual(cut.last.params, whole.last.params)
  t.notDeepEqual(whole.last.params, without.last.params)
  t.deepEqual([whole.last.pairs, whole.last.droppedTies], [0, 4], 'no pair of answers')
  t.like(
    whole.said.find((event) => 'name' in event && event.name === 'learner/judge_pairs'),
    { value: 4 },
  )
  const record = whole.said.find((event) => 'kind' in event && event.kind === 'sample') as { value?: object }
  t.like(record.value, { judgePairs: [{ chosen: 'score zero', rejected: 'score five' }] })
})
