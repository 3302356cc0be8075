import test from 'ava'
import fc from 'fast-check'
import { createPromptPlan, type PlannedBatch, type PlanOptions } from '../../actors/prompt-plan.js'

/** All batches of a plan, when there are `available` prompts named p0, p1, …; and how many were asked for. */
async function planned(options: PlanOptions, available = Number.POSITIVE_INFINITY) {
  let asked = 0
  const next = async () => (asked < available ? `p${asked++}` : undefined)
  const batches: PlannedBatch[] = []
  const plan = createPromptPlan(options, next)
  for (let batch = await plan.next(); batch; batch = await plan.next()) batches.push(batch)
  return { batches, asked }
}

/** A batch as `id iteration update start flags prompts`, for reading: `u` ends an update, `i` an iteration. */
const line = ({ id, iteration, update, iterationStart, lastOfUpdate, lastOfIteration, prompts }: PlannedBatch) =>
  `${id} i${iteration} u${update} from ${iterationStart} ${lastOfUpdate ? 'u' : '-'}${lastOfIteration ? 'i' : '-'} ${prompts.map(({ text }) => text).join(' ')}`

test('batches that divide updates that divide iterations', async (t) => {
  const { batches, asked } = await planned({ iterations: [4, 8], promptsPerUpdate: 4, batch: 2 })
  t.deepEqual(batches.map(line), [
    '0 i0 u0 from 0 -- p0 p1',
    '1 i0 u0 from 0 ui p2 p3',
    '2 i1 u1 from 1 -- p4 p5',
    '3 i1 u1 from 1 u- p6 p7',
    '4 i1 u2 from 1 -- p8 p9',
    '5 i1 u2 from 1 ui p10 p11',
  ])
  t.is(asked, 12, 'no prompt is asked for that nobody uses')
  t.deepEqual(
    batches[3]!.prompts.map(({ id }) => id),
    ['3.0', '3.1'],
  )
})

test('a batch is cut at the end of an update, an update at the end of its iteration', async (t) => {
  const { batches } = await planned({ iterations: [7, 2], promptsPerUpdate: 5, batch: 3 })
  t.deepEqual(batches.map(line), [
    '0 i0 u0 from 0 -- p0 p1 p2',
    '1 i0 u0 from 0 u- p3 p4',
    '2 i0 u1 from 0 ui p5 p6',
    '3 i1 u2 from 2 ui p7 p8',
  ])
})

test('when prompts run out the iteration ends with what there is, and the run with it', async (t) => {
  const shape = { iterations: [6, 6], promptsPerUpdate: 4, batch: 2 }
  t.deepEqual((await planned(shape, 5)).batches.map(line), [
    '0 i0 u0 from 0 -- p0 p1',
    '1 i0 u0 from 0 u- p2 p3',
    '2 i0 u1 from 0 ui p4',
  ])
  const atTheEndOfAnUpdate = (await planned(shape, 4)).batches
  t.is(line(atTheEndOfAnUpdate.at(-1)!), '1 i0 u0 from 0 ui p2 p3')
  const atTheEndOfAnIteration = (await planned(shape, 6)).batches
  t.is(line(atTheEndOfAnIteration.at(-1)!), '2 i0 u1 from 0 ui p4 p5')
  t.deepEqual((await planned(shape, 0)).batches, [])
})

test('whatever the shape: every prompt once, ids without gaps, one end for each update and iteration', async (t) => {
  const shape = fc.record({
    iterations: fc.array(fc.integer({ min: 1, max: 23 }), { minLength: 1, maxLength: 4 }),
    promptsPerUpdate: fc.integer({ min: 1, max: 9 }),
    batch: fc.integer({ min: 1, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, fc.integer({ min: 0, max: 100 }), async (options, available) => {
      const { batches, asked } = await planned(options, available)
      const wanted = options.iterations.reduce((a, b) => a + b, 0)
      const used = Math.min(wanted, available)
      t.is(asked, used)
      t.deepEqual(
        batches.flatMap(({ prompts }) => prompts.map(({ text }) => text)),
        Array.from({ length: used }, (_, i) => `p${i}`),
      )
      t.is(new Set(batches.flatMap(({ prompts }) => prompts.map(({ id }) => id))).size, used)
      let update = 0
      let iteration = 0
      let inUpdate = 0
      batches.forEach((batch, id) => {
        t.deepEqual([batch.id, batch.update, batch.iteration], [id, update, iteration])
        t.true(batch.prompts.length >= 1 && batch.prompts.length <= options.batch)
        inUpdate += batch.prompts.length
        t.true(inUpdate <= options.promptsPerUpdate && (inUpdate < options.promptsPerUpdate || batch.lastOfUpdate))
        t.true(batch.lastOfUpdate || !batch.lastOfIteration)
        if (batch.lastOfUpdate) update++
        if (batch.lastOfUpdate) inUpdate = 0
        if (batch.lastOfIteration) iteration++
      })
      t.true(batches.length === 0 || batches.at(-1)!.lastOfIteration)
    }),
    { numRuns: 200, seed: 1 },
  )
})
