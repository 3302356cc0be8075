import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { RunEvent, TroupeError } from '../../../runtime/index.js'
import { keeper, numberSource } from '../fixtures/mortal.js'
import { createTroupeIn, PLACES, type Place } from '../fixtures/places.js'
import { stumbling } from '../fixtures/stumbling.js'

const COUNT = 30

function setUp(place: Place, fails: string[], maxRestarts: number) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-stumbling-'))
  const events: RunEvent[] = []
  const troupe = createTroupeIn(place, { observe: (event) => events.push(event) })
  const source = troupe.actor(numberSource, { config: { count: COUNT } })
  const supervise = { maxRestarts, backoff: { firstMs: 0 } }
  const actor = troupe.actor(stumbling, { config: { folder, fails }, supervise })
  const sink = troupe.actor(keeper, { config: {} })
  troupe.connect(source.outputs.numbers, actor.inputs.numbers)
  troupe.connect(actor.outputs.sums, sink.inputs.sums)
  /** What the log has of each failure. */
  const failures = () =>
    events.flatMap((e) => (e.type === 'state' && e.state === 'failed' ? [`${e.actor.name}: ${e.error?.message}`] : []))
  const lives = () => readdirSync(folder).length
  return { troupe, actor, sink, failures, lives, events }
}

for (const place of PLACES) {
  test.serial(
    `${place}: it may fail in any phase of any life, and goes on where it was; the log has each failure`,
    async (t) => {
      const { troupe, actor, sink, failures, lives } = setUp(place, ['turn', 'start', 'streams', 'snapshot', 'turn'], 5)
      await troupe.start()
      await troupe.done
      t.deepEqual(
        (await sink.ask.seen()).map(({ n, sum }) => [n, sum]),
        Array.from({ length: COUNT }, (_, n) => [n, (n * (n + 1)) / 2]),
      )
      t.is(await actor.ask.life(), 5)
      t.is(lives(), 6)
      await troupe.stop()
      t.deepEqual(
        failures(),
        ['turn of life 0', 'start of life 1', 'streams of life 2', 'snapshot of life 3', 'turn of life 4'].map(
          (what) => `stumbling: in ${what}`,
        ),
      )
    },
  )

  for (const phase of ['start', 'streams', 'snapshot'] as const)
    test.serial(
      `${place}: one that fails in ${phase} of every life comes to the end of its budget, and nobody hangs`,
      async (t) => {
        const first = phase === 'snapshot' ? phase : 'turn'
        const { troupe, actor, failures, lives } = setUp(place, [first, phase, phase, phase, phase], 3)
        await troupe.start()
        const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_RESTARTS' })
        t.is(error.where, 'stumbling')
        t.regex(error.message, new RegExp(`after 3 restarts: .*in ${phase} of life 3`))
        await t.throwsAsync(async () => actor.ask.life(), { code: 'E_ACTOR_DOWN' })
        await troupe.stop()
        t.is(lives(), 4, 'none is left over, and none was begun beyond the budget')
        t.is(failures().length, 4)
      },
    )

  test.serial(`${place}: a stop that fails while it is restarted does not stand in the way, and is told`, async (t) => {
    const { troupe, actor, sink, events } = setUp(place, ['turn stop'], 3)
    await troupe.start()
    await troupe.done
    t.is((await sink.ask.seen()).length, COUNT)
    t.is(await actor.ask.life(), 1)
    await troupe.stop()
    const told = events.flatMap((e) => (e.type === 'log' ? [`${e.level}: ${e.message}`] : []))
    t.deepEqual(told, ['error: raised while it was stopped: stumbling failed: in stop of life 0'])
    const states = events.flatMap((e) => (e.type === 'state' && e.actor.name === 'stumbling' ? [e.state] : []))
    t.deepEqual(states, ['starting', 'ready', 'failed', 'restarting', 'starting', 'ready', 'stopped'])
  })
}
