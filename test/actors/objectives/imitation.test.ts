import test from 'ava'
import type { JudgedGroup } from '../../../actors/messages.js'
import type { GroupOutcome } from '../../../actors/selection.js'
import type { TokenSequence } from '../../../models/types.js'
import {
  checkSlope,
  gradientOf,
  groupOf,
  logprobsOf,
  near,
  openWith,
  sequencesOf,
  total,
  weightsOf,
} from '../fixtures/objectives.js'

const theta = weightsOf(1)
const groups = [
  groupOf(['ant bee', 'cat', 'dog eel fox'], { prompt: 'copy ant bee', scores: [3, 1, 2] }),
  groupOf(['dog', 'eel fox gnu', 'dog'], { prompt: 'turn cat dog', scores: [2, 2, 5] }),
]
const outcomesOf = (singles: readonly (readonly number[])[], from: readonly JudgedGroup[] = groups): GroupOutcome[] =>
  from.map((group, i) => ({ group, selected: { singles: singles[i]! } }))
const mean = (values: readonly number[]) => total(values) / values.length

test('likelihood: the loss is the mean over tokens of what was selected, and its gradient is that', async (t) => {
  const opened = await openWith({ objective: 'nll' })
  const result = await opened.objective.update(outcomesOf([[0, 2], [1]]), 0)
  const chosen = [sequencesOf(groups[0]!)[0]!, sequencesOf(groups[0]!)[2]!, sequencesOf(groups[1]!)[1]!]
  const loss = async (params: Float32Array) => -mean((await logprobsOf(params, chosen)).flatMap((row) => [...row]))
  near(t, result?.loss, await loss(theta), 'loss')
  t.is(result?.used, 3)
  await checkSlope(t, await gradientOf(opened), theta, loss)
  t.is(await opened.objective.update([{ group: groups[0]!, selected: { dropped: 'unselected' } }], 1), null)
  await opened.objective.dispose()
})

test('likelihood with demonstrations: each of their tokens weighs as much as the coefficient says', async (t) => {
  const opened = await openWith({ objective: 'nll', mix: { rows: 3, coefficient: 0.25 } })
  const drawn = opened.demonstrations.draw(3, 7)
  const result = await opened.objective.update(outcomesOf([[0], [1]]), 7)
  const weighted = async (rows: readonly TokenSequence[], weight: number) => {
    const values = (await logprobsOf(theta, rows)).flatMap((row) => [...row])
    return { sum: -weight * total(values), count: weight * values.length }
  }
  const own = await weighted([sequencesOf(groups[0]!)[0]!, sequencesOf(groups[1]!)[1]!], 1)
  const mixed = await weighted(drawn, 0.25)
  near(t, result?.loss, (own.sum + mixed.sum) / (own.count + mixed.count), 'loss')
  await opened.objective.dispose()
})

test('what earlier iterations selected is trained on again: of all of them, or of the last alone', async (t) => {
  const steps = async (rounds: number | 'all') => {
    const { objective, params } = await openWith({ objective: 'nll', replay: { rounds, rows: 2 }, rowsPerStep: 8 })
    const tokens: number[] = []
    for (const [iteration, texts] of [['ant'], ['ant bee'], ['ant bee cat dog']].entries()) {
      if (iteration > 0) await objective.begin(iteration, params)
      const result = await objective.update(outcomesOf([[0]], [groupOf(texts)]), iteration)
      tokens.push(result!.tokens)
      t.is(result!.used, 1, 'those of before are not counted again')
    }
    await objective.dispose()
    return tokens
  }
  // <s> copy ant bee <answer> … </s>: 5 + words + 1 tokens; 7, 8 and 10 by iteration
  t.deepEqual(await steps(0), [7, 8, 10])
  t.deepEqual(await steps(1), [7, 8 + 2 * 7, 10 + 2 * 8])
  const all = await steps('all')
  t.deepEqual(all.slice(0, 2), [7, 8 + 2 * 7])
  t.true([24, 25, 26].includes(all[2]!), `${all[2]}`)
})

test('ranking: Σ max(0, p_i − p_j) over r_i < r_j, and the likelihood of the best, means over prompts', async (t) => {
  const opened = await openWith({ objective: 'rank', completions: 3, mix: { coefficient: 0.5 } })
  const result = await opened.objective.update(
    outcomesOf([
      [0, 1, 2],
      [0, 1, 2],
    ]),
    0,
  )
  const rank = async (params: Float32Array) =>
    mean(
      await Promise.all(
        groups.map(async (group) => {
          const p = (await logprobsOf(params, sequencesOf(group))).map((row) => mean([...row]))
          const r = group.judgments.map(({ score }) => score!)
          return total(p.flatMap((own, i) => p.map((other, j) => (r[i]! < r[j]! ? Math.max(0, own - other) : 0))))
        }),
      ),
    )
  const nll = async (params: Float32Array) => {
    const best = [sequencesOf(groups[0]!)[0]!, sequencesOf(groups[1]!)[2]!]
    return -mean((await logprobsOf(params, best)).map(total))
  }
  near(t, result?.metrics['loss/rank'], await rank(theta), 'rank')
  near(t, result?.metrics['loss/nll'], await nll(theta), 'nll')
  t.true((await rank(theta)) > 0)
  const loss = async (params: Float32Array) => (await rank(params)) + 0.5 * (await nll(params))
  near(t, result?.loss, await loss(theta), 'loss')
  await checkSlope(t, await gradientOf(opened), theta, loss)
  await opened.objective.dispose()
})

test('ranking: answers without a score take no part; where answers were only compared, wins rank them', async (t) => {
  const scored = groupOf(['ant bee', 'cat', 'dog eel fox'], { scores: [2, undefined, 4] })
  const compared = groupOf(['ant bee', 'cat'], {
    comparisons: [{ first: 0, second: 1, opinion: 0.25 }],
  })
  for (const [group, singles, best] of [
    [scored, [0, 2], 2],
    [compared, [0, 1], 1],
  ] as const) {
    const { objective } = await openWith({ objective: 'rank', completions: 3 })
    const result = await objective.update(outcomesOf([singles], [group]), 0)
    const rows = await logprobsOf(theta, sequencesOf(group))
    const worse = singles.find((i) => i !== best)!
    near(t, result?.metrics['loss/nll'], -total(rows[best]!), 'best')
    near(t, result?.metrics['loss/rank'], Math.max(0, mean([...rows[worse]!]) - mean([...rows[best]!])), 'rank')
    await objective.dispose()
  }
})
