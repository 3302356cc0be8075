import test from 'ava'
import type { RunEvent, TroupeError } from '../../../runtime/index.js'
import { faulty } from '../fixtures/faults.js'
import { guided } from '../fixtures/guided.js'
import { counter } from '../fixtures/numbers.js'
import { createTroupeIn, PLACES, type Place } from '../fixtures/places.js'

type Fault = 'start' | 'turn' | 'exit' | 'operator' | 'stop' | 'loop' | 'rejection' | 'uncaught' | 'dieInStop' | 'never'

function failing(stage: Place, at: Fault, events: RunEvent[] = []) {
  const troupe = createTroupeIn(stage, { observe: (event) => events.push(event) })
  const source = troupe.actor(counter, { config: { count: Number.MAX_SAFE_INTEGER } })
  const actor = troupe.actor(faulty, { config: { at } })
  troupe.connect(source.outputs.numbers, actor.inputs.numbers)
  return { troupe, actor, source }
}

for (const stage of PLACES) {
  test.serial(
    `${stage}: an actor that throws in start fails the start of the troupe, and all is stopped`,
    async (t) => {
      const { troupe, source } = failing(stage, 'start')
      const error = await t.throwsAsync<TroupeError>(async () => troupe.start(), { code: 'E_ACTOR_FAILED' })
      t.is(error.where, 'faulty')
      const cause = error.cause as TroupeError
      t.deepEqual([cause.code, cause.where], ['E_DATA', 'model.json'])
      t.is(await troupe.done.catch((reason) => reason), error)
      const ask = source.ask as unknown as { any(): Promise<void> }
      await t.throwsAsync(async () => ask.any(), { code: 'E_ACTOR_DOWN' })
      await troupe.stop()
    },
  )

  for (const at of ['turn', 'operator', 'loop'] as const) {
    test.serial(
      `${stage}: an error ${at === 'turn' ? 'in a turn' : `in an ${at}`} fails the actor and stops the others`,
      async (t) => {
        const events: RunEvent[] = []
        const { troupe } = failing(stage, at, events)
        await troupe.start()
        const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
        t.is(error.where, 'faulty')
        t.is((error.cause as TroupeError).code, 'E_DATA')
        t.is(((error.cause as TroupeError).cause as Error).message, 'deeper')
        await troupe.stop()
        const states = events.flatMap((event) => (event.type === 'state' ? [`${event.actor.name} ${event.state}`] : []))
        t.is(states.filter((state) => state === 'faulty failed').length, 1)
        t.true(states.includes('counter stopped'))
      },
    )
  }

  test.serial(`${stage}: an error in stop rejects stop, after the others have stopped`, async (t) => {
    const events: RunEvent[] = []
    const { troupe } = failing(stage, 'stop', events)
    await troupe.start()
    await t.throwsAsync(async () => troupe.stop(), { code: 'E_ACTOR_FAILED', message: /faulty failed: in stop/ })
    t.true(
      events.some((event) => event.type === 'state' && event.actor.name === 'counter' && event.state === 'stopped'),
    )
    await t.throwsAsync(async () => troupe.done, { code: 'E_STOPPED' })
  })

  test.serial(`${stage}: a method that never answers meets its deadline`, async (t) => {
    const troupe = createTroupeIn(stage, { askDeadlineMs: 1 })
    const source = troupe.actor(counter, { config: { count: 1 } })
    const actor = troupe.actor(faulty, { config: { at: 'never' } })
    troupe.connect(source.outputs.numbers, actor.inputs.numbers)
    await troupe.start()
    await t.throwsAsync(async () => actor.ask.never(), { code: 'E_DEADLINE', message: /faulty\.never\(\)/ })
    await troupe.stop()
  })

  test.serial(
    `${stage}: stop waits for the turn that is running, begins no other, and may be called again`,
    async (t) => {
      const lines: string[] = []
      const troupe = createTroupeIn(stage, {
        observe: (event) => event.type === 'log' && lines.push(event.message),
      })
      const actor = troupe.actor(guided, { config: {} })
      await troupe.start()
      await actor.ask.begun()
      const stopping = troupe.stop()
      t.is(troupe.stop(), stopping)
      await actor.ask.release()
      await stopping
      t.deepEqual(lines, ['stopped'], 'stop() of the actor came after its turn, and no further turn began')
      await troupe.stop()
    },
  )

  test.serial(`${stage}: a turn that does not end meets the deadline, by name`, async (t) => {
    const troupe = createTroupeIn(stage, { stopDeadlineMs: 20 })
    const actor = troupe.actor(guided, { config: {} })
    await troupe.start()
    await actor.ask.begun()
    const error = await t.throwsAsync<TroupeError>(async () => troupe.stop(), { code: 'E_DEADLINE' })
    t.is(error.where, 'guided')
  })

  test.serial(`${stage}: a start that does not end meets the deadline, by name`, async (t) => {
    const troupe = createTroupeIn(stage, { startDeadlineMs: 20 })
    troupe.actor(guided, { config: { holdStart: true } })
    const error = await t.throwsAsync<TroupeError>(async () => troupe.start(), { code: 'E_DEADLINE' })
    t.is(error.where, 'guided')
  })

  test.serial(`${stage}: a signal stops the troupe, and done says so`, async (t) => {
    const abort = new AbortController()
    const troupe = createTroupeIn(stage, { signal: abort.signal })
    troupe.actor(counter, { config: { count: Number.MAX_SAFE_INTEGER } })
    await troupe.start()
    abort.abort(new Error('enough'))
    const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_STOPPED' })
    t.is((error.cause as Error).message, 'enough')
    await troupe.stop()
  })

  test.serial(`${stage}: an observer that throws stops the troupe`, async (t) => {
    const troupe = createTroupeIn(stage, {
      observe: (event) => {
        if (event.type === 'span') throw new Error('disk full')
      },
    })
    troupe.actor(counter, { config: { count: Number.MAX_SAFE_INTEGER } })
    await troupe.start()
    const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
    t.is(error.where, 'observe')
    await troupe.stop()
  })
}

for (const place of ['threads', 'processes', 'mixed'] as const) {
  test.serial(`${place}: a place that ends in the middle of a turn fails its actor, and nothing hangs`, async (t) => {
    const { troupe, actor } = failing(place, 'exit')
    await troupe.start().catch(() => {}) // the first turn may come before the last actor is wired
    const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
    t.is(error.where, 'faulty')
    t.regex(error.message, /code:? 3/)
    await t.throwsAsync(async () => actor.ask.never(), { code: 'E_ACTOR_DOWN' })
    await troupe.stop()
  })

  test.serial(`${place}: a place that ends in the middle of an answer rejects who asked`, async (t) => {
    const { troupe, actor } = failing(place, 'never')
    await troupe.start()
    await t.throwsAsync(async () => actor.ask.die(), { code: 'E_ACTOR_DOWN' })
    await t.throwsAsync(async () => actor.ask.add(1, 1), { code: 'E_ACTOR_DOWN' })
    await t.throwsAsync(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
    await troupe.stop()
  })

  for (const at of ['rejection', 'uncaught'] as const) {
    test.serial(`${place}: an error that nobody caught (${at}) fails its actor, with its own code`, async (t) => {
      const { troupe } = failing(place, at)
      await troupe.start().catch(() => {})
      const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
      t.is(error.where, 'faulty')
      t.is((error.cause as TroupeError).code, 'E_DATA')
      await troupe.stop()
    })
  }

  test.serial(`${place}: a place that ends while it is stopped does not hold the stop`, async (t) => {
    const { troupe, actor } = failing(place, 'dieInStop')
    await troupe.start()
    const asked = t.throwsAsync(async () => actor.ask.never(), { code: 'E_ACTOR_DOWN' })
    await t.throwsAsync(async () => troupe.stop(), { code: 'E_ACTOR_FAILED' })
    await asked
  })
}
