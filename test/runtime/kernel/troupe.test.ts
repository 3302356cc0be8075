import { setImmediate as hop } from 'node:timers/promises'
import test from 'ava'
import { type RunEvent, TroupeError } from '../../../runtime/index.js'
import { faulty } from '../fixtures/faults.js'
import { MOST, reader, SENT, TAKEN, writer } from '../fixtures/flow.js'
import { holding, holdingDoubler, sending } from '../fixtures/guided.js'
import { giver, keeper, stranger } from '../fixtures/messages.js'
import { collector, counter, doubler } from '../fixtures/numbers.js'
import { createTroupeIn, PLACES } from '../fixtures/places.js'
import { createProbe, read } from '../fixtures/probe.js'

for (const stage of PLACES) {
  test.serial(`${stage}: messages of a pair arrive in order, once, and the end arrives`, async (t) => {
    const troupe = createTroupeIn(stage)
    const source = troupe.actor(counter, { config: { count: 300 } })
    const middle = troupe.actor(doubler, { config: {} })
    const sink = troupe.actor(collector, { config: {} })
    troupe.connect(source.outputs.numbers, middle.inputs.numbers, { credits: 7 })
    troupe.connect(middle.outputs.doubled, sink.inputs.numbers)
    await troupe.start()
    await troupe.done
    t.deepEqual(
      await sink.ask.seen(),
      Array.from({ length: 300 }, (_, i) => 2 * i),
    )
    await troupe.stop()
    await t.throwsAsync(async () => sink.ask.seen(), { code: 'E_ACTOR_DOWN' })
  })

  test.serial(`${stage}: actors may be added in any order, the receiver before its sender`, async (t) => {
    const troupe = createTroupeIn(stage)
    const sink = troupe.actor(collector, { config: {} })
    const source = troupe.actor(counter, { config: { count: 3 } })
    troupe.connect(source.outputs.numbers, sink.inputs.numbers)
    await troupe.start()
    await troupe.done
    t.deepEqual(await sink.ask.seen(), [0, 1, 2])
    await troupe.stop()
  })

  test.serial(`${stage}: replicas share the work, and their results merge`, async (t) => {
    const events: RunEvent[] = []
    const troupe = createTroupeIn(stage, { observe: (event) => events.push(event) })
    const source = troupe.actor(counter, { config: { count: 120 } })
    const atOnce = stage !== 'inline'
    const middle = troupe.actor(holdingDoubler, { name: 'doubler', config: { holds: atOnce }, replicas: 3 })
    const sink = troupe.actor(collector, { config: {} })
    troupe.connect(source.outputs.numbers, middle.inputs.numbers, { credits: 2 })
    troupe.connect(middle.outputs.doubled, sink.inputs.numbers)
    await troupe.start()
    if (atOnce) {
      await middle.askAll.begun()
      await middle.askAll.release()
    }
    await troupe.done
    const seen = await sink.ask.seen()
    await troupe.stop()
    t.deepEqual(
      seen.toSorted((a, b) => a - b),
      Array.from({ length: 120 }, (_, i) => 2 * i),
    )
    const turnsOf = (name: string) => events.filter((e) => e.type === 'span' && e.actor.name === name).length
    const turns = ['doubler/0', 'doubler/1', 'doubler/2'].map(turnsOf)
    // One after another, they get what they have credit for in the same order.
    if (atOnce) t.true(Math.min(...turns) > 0, `turns: ${turns}`)
    else t.deepEqual(turns, [40, 40, 40])
    t.is(
      turns.reduce((sum, count) => sum + count, 0),
      120,
    )
    const states = events.flatMap((event) => (event.type === 'state' ? [`${event.actor.name} ${event.state}`] : []))
    t.is(states.filter((state) => state.endsWith('ready')).length, 5)
    t.is(states.filter((state) => state.endsWith('stopped')).length, 5)
  })

  test.serial(`${stage}: every connection of an output gets every message`, async (t) => {
    const troupe = createTroupeIn(stage)
    const source = troupe.actor(counter, { config: { count: 40 } })
    const all = troupe.actor(collector, { config: {}, name: 'all' })
    const few = troupe.actor(collector, { config: { limit: 3 }, name: 'few' })
    troupe.connect(source.outputs.numbers, all.inputs.numbers)
    troupe.connect(source.outputs.numbers, few.inputs.numbers, { credits: 1 })
    await troupe.start()
    await troupe.done
    t.is((await all.ask.seen()).length, 40)
    t.deepEqual(await few.ask.seen(), [0, 1, 2])
    await troupe.stop()
  })

  test.serial(`${stage}: unsubscribing cancels the sender, however much it still had`, async (t) => {
    const troupe = createTroupeIn(stage)
    const source = troupe.actor(counter, { config: { count: Number.MAX_SAFE_INTEGER } })
    const sink = troupe.actor(collector, { config: { limit: 5 } })
    troupe.connect(source.outputs.numbers, sink.inputs.numbers)
    await troupe.start()
    await troupe.done
    t.deepEqual(await sink.ask.seen(), [0, 1, 2, 3, 4])
    await troupe.stop()
  })

  // inline has one turn at a time: while the reader is in one, nobody sends
  if (stage !== 'inline')
    test.serial(`${stage}: a reader that rests bounds what is sent, to the message`, async (t) => {
      const window = 8
      const troupe = createTroupeIn(stage)
      const source = troupe.actor(sending, { config: { count: 50 } })
      const sink = troupe.actor(holding, { config: {} })
      troupe.connect(source.outputs.items, sink.inputs.items, { credits: window })
      await troupe.start()
      await sink.ask.begun()
      while ((await source.ask.sent()) < window) await hop()
      for (let i = 0; i < 20; i++) t.is(await source.ask.sent(), window)
      await sink.ask.release()
      await troupe.done
      t.deepEqual(
        await sink.ask.taken(),
        Array.from({ length: 50 }, (_, i) => i),
      )
      await troupe.stop()
    })

  test.serial(`${stage}: moved buffers are empty at the sender, and whole at every receiver`, async (t) => {
    const troupe = createTroupeIn(stage)
    const source = troupe.actor(giver, { config: { count: 5 } })
    const first = troupe.actor(keeper, { config: {}, name: 'first' })
    const second = troupe.actor(keeper, { config: {}, name: 'second' })
    troupe.connect(source.outputs.blocks, first.inputs.blocks)
    troupe.connect(source.outputs.blocks, second.inputs.blocks)
    await troupe.start()
    await troupe.done
    const expected = Array.from({ length: 5 }, (_, id) => [id, id + 1, id + 2])
    t.deepEqual(await first.ask.kept(), expected)
    t.deepEqual(await second.ask.kept(), expected)
    t.deepEqual(await source.ask.left(), [0, 0, 0, 0, 0])
    await troupe.stop()
  })

  test.serial(
    `${stage}: an answer that cannot cross, a missing method and a raised error are told apart`,
    async (t) => {
      const troupe = createTroupeIn(stage, { askDeadlineMs: 20_000 })
      const source = troupe.actor(counter, { config: { count: 1 } })
      const one = troupe.actor(faulty, { config: { at: 'never' }, replicas: 2 })
      troupe.connect(source.outputs.numbers, one.inputs.numbers)
      await t.throwsAsync(async () => one.ask.add(1, 2), { code: 'E_ACTOR_DOWN' })
      await troupe.start()
      t.is(await one.ask.add(1, 2), 3)
      t.deepEqual(await one.askAll.add(4, 5), [9, 9])
      await t.throwsAsync(async () => one.ask.unsendable(), { code: 'E_MESSAGE', message: /list\[0\]\.callback/ })
      const missing = one.ask as unknown as { missing(): Promise<void> }
      await t.throwsAsync(async () => missing.missing(), { code: 'E_CONFIG', message: /no method "missing"/ })
      const raised = await t.throwsAsync<TroupeError>(async () => one.ask.raise())
      t.true(raised instanceof TroupeError)
      t.is(raised.code, 'E_DATA')
      t.is(raised.hint, 'none')
      t.is((raised.cause as Error).name, 'RangeError')
      await troupe.stop()
    },
  )
}

for (const stage of ['inline', 'threads'] as const)
  test.serial(`${stage}: a slow reader bounds what is in flight`, async (t) => {
    const count = stage === 'threads' ? 100_000 : 10_000
    const window = 8
    const probe = createProbe()
    const troupe = createTroupeIn(stage)
    const source = troupe.actor(writer, { config: { count, probe } })
    const sink = troupe.actor(reader, { config: { probe, spin: 200 } })
    troupe.connect(source.outputs.items, sink.inputs.items, { credits: window })
    await troupe.start()
    await troupe.done
    t.is((await sink.ask.read()).expected, count)
    await troupe.stop()
    t.is(read(probe, SENT), count)
    t.is(read(probe, TAKEN), count)
    t.true(read(probe, MOST) <= window, `${read(probe, MOST)} were in flight`)
  })

const refusals = {
  function: 'a[1].callback',
  tensor: 'groups[0].logits',
  class: 'price',
  weakmap: 'cache',
  symbol: 'kind',
  promise: 'later',
} as const

for (const kind of Object.keys(refusals) as (keyof typeof refusals)[]) {
  for (const stage of kind === 'tensor' ? PLACES : (['inline'] as const)) {
    test.serial(`${stage}: a message with a ${kind} is refused at its sender, by the path of the field`, async (t) => {
      const troupe = createTroupeIn(stage)
      troupe.actor(stranger, { config: { kind } })
      await troupe.start()
      const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
      const cause = error.cause as TroupeError
      t.is(cause.code, 'E_MESSAGE')
      t.is(cause.where, 'stranger, output "things"')
      t.true(cause.message.includes(`"${refusals[kind]}"`), cause.message)
      await troupe.stop()
    })
  }
}
