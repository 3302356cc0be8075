import test from 'ava'
import { z } from 'zod'
import { createTroupe, defineActor, port } from '../../../runtime/index.js'
import { createWeightStore } from '../../../runtime/tensor/index.js'
import { collector, counter } from '../fixtures/numbers.js'

/** Waits for time to pass: in the work of a turn, or in what makes a turn ready. */
const waiter = defineActor({
  module: import.meta.url,
  role: 'waiter',
  inputs: { numbers: port<number>() },
  outputs: { waited: port<number>() },
  config: z.strictObject({ where: z.enum(['work', 'ready', 'weights']) }),
  start({ config: { where }, turn, clock, weights }) {
    const wait = () => (where === 'weights' ? weights.atLeast(1, { deadlineMs: 5 }) : clock.sleep(5))
    return {
      streams: ({ numbers }) => ({
        waited: numbers.pipe(
          turn(
            async (n) => {
              if (where !== 'ready') await wait()
              return n
            },
            { ready: async () => (where === 'ready' ? void (await wait()) : undefined) },
          ),
        ),
      }),
    }
  },
})

function setUp(where: 'work' | 'ready' | 'weights', costs: Record<string, number> = {}) {
  const layout = { entries: [{ name: 'w', shape: [1], offset: 0, length: 1 }], total: 1 }
  const weights = createWeightStore(layout).handle
  const troupe = createTroupe({ stage: 'virtual', seed: 1, weights, virtual: { costs } })
  const source = troupe.actor(counter, { config: { count: 3 } })
  const middle = troupe.actor(waiter, { config: { where } })
  const sink = troupe.actor(collector, { config: {} })
  troupe.connect(source.outputs.numbers, middle.inputs.numbers)
  troupe.connect(middle.outputs.waited, sink.inputs.numbers)
  return { troupe, sink }
}

test('waiting for a turn to be ready takes virtual time', async (t) => {
  const { troupe, sink } = setUp('ready')
  await troupe.start()
  await troupe.done
  t.deepEqual(await sink.ask.seen(), [0, 1, 2])
  // Made in 1 ms, then ready in 5 and worked on for 1 each, kept in 1.
  t.is(troupe.clock.now(), 1 + 3 * (5 + 1) + 1)
  await troupe.stop()
})

for (const [where, what] of [
  ['work', /waiter sleeps in the work of a turn: in virtual time that would wait for ever/],
  ['weights', /waiter waits for version 1 of the weights in the work of a turn/],
] as const)
  test(`work that waits (${where}) would wait for ever, and is refused in a sentence`, async (t) => {
    const { troupe } = setUp(where)
    await troupe.start()
    const error = await t.throwsAsync(troupe.done, { code: 'E_ACTOR_FAILED' })
    t.like(error!.cause, { code: 'E_UNSUPPORTED' })
    t.regex(error!.message, what)
    await troupe.stop()
  })

test('costs and links of actors that there are not are refused before anything starts', async (t) => {
  const { troupe } = setUp('ready', { waitr: 3 })
  await t.throwsAsync(troupe.start(), { code: 'E_CONFIG', message: '"costs.waitr" is about no actor of this troupe' })
  await troupe.stop()
})
