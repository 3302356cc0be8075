import test, { type ExecutionContext } from 'ava'
import { createTroupe, type RestartOptions, type RunEvent, type TroupeError } from '../../../runtime/index.js'
import { keeper, loose, mortal, numberSource } from '../fixtures/mortal.js'
import { createProbe, read } from '../fixtures/probe.js'

const COUNT = 40
const quickly: RestartOptions = { maxRestarts: 5, backoff: { firstMs: 0 } }
type How = 'throw' | 'exit' | 'exit0' | 'abort'
type Where = 'inline' | 'threads' | 'virtual'

function setUp(stage: Where, settings: { diesOf: number; deaths?: number; how?: How }) {
  const events: RunEvent[] = []
  const probe = createProbe()
  const troupe = createTroupe({ stage, seed: 1, observe: (event) => events.push(event) })
  const source = troupe.actor(numberSource, { config: { count: COUNT }, supervise: quickly })
  const adder = troupe.actor(mortal, { config: { probe, ...settings }, supervise: quickly })
  const sink = troupe.actor(keeper, { config: {}, supervise: quickly })
  troupe.connect(source.outputs.numbers, adder.inputs.numbers)
  troupe.connect(adder.outputs.sums, sink.inputs.sums)
  return { troupe, events, probe, source, adder, sink }
}

/** Each number once, in order, with the sum of all until then: nothing was lost, done twice or forgotten. */
function isWhole(t: ExecutionContext, seen: readonly { n: number; sum: number }[]): void {
  t.deepEqual(
    seen.map(({ n, sum }) => [n, sum]),
    Array.from({ length: COUNT }, (_, n) => [n, (n * (n + 1)) / 2]),
  )
}

for (const [stage, how] of [
  ['inline', 'throw'],
  ['virtual', 'throw'],
  ['threads', 'throw'],
  ['threads', 'exit'],
  ['threads', 'exit0'],
] as const) {
  test.serial(
    `${stage}: an actor that dies (${how}) goes on where it was, and nothing is lost or doubled`,
    async (t) => {
      const { troupe, events, probe, adder, sink } = setUp(stage, { diesOf: 17, deaths: 2, how })
      await troupe.start()
      await troupe.done
      const seen = await sink.ask.seen()
      isWhole(t, seen)
      t.is(read(probe, 1), 3, 'it lived three times')
      t.deepEqual([...new Set(seen.map(({ lives }) => lives))], [1, 3])
      t.is(await adder.ask.lives(), 3)
      const states = events.flatMap((e) => (e.type === 'state' && e.actor.name === 'mortal' ? [e.state] : []))
      t.is(states.filter((state) => state === 'failed').length, 2)
      t.is(states.filter((state) => state === 'restarting').length, 2)
      await troupe.stop()
    },
  )

  test.serial(`${stage}: a message that ends its actor (${how}) three times is set aside, and told of`, async (t) => {
    const { troupe, events, probe, sink } = setUp(stage, { diesOf: 17, deaths: 99, how })
    await troupe.start()
    await troupe.done
    const seen = await sink.ask.seen()
    t.is(read(probe, 0), 3, 'it was tried three times')
    t.deepEqual(seen[17], { n: 17, sum: -1, lives: 4 })
    t.is(seen.length, COUNT)
    t.is(seen.at(-1)?.sum, (COUNT * (COUNT - 1)) / 2 - 17)
    const letters = events.flatMap((e) => (e.type === 'record' && e.kind === 'dead-letters' ? [e.value] : []))
    t.deepEqual(letters, [{ port: 'numbers', reason: 'poison', message: 17 }])
    await troupe.stop()
  })
}

for (const stage of ['inline', 'threads'] as const) {
  test.serial(
    `${stage}: one failure more than the budget allows ends the run, and says how often it failed`,
    async (t) => {
      const probe = createProbe()
      const troupe = createTroupe({ stage, seed: 1 })
      const source = troupe.actor(numberSource, { config: { count: COUNT } })
      const supervise: RestartOptions = { maxRestarts: 2, backoff: { firstMs: 0 } }
      const adder = troupe.actor(mortal, { config: { probe, diesOf: 3, deaths: 99 }, supervise })
      const sink = troupe.actor(keeper, { config: {} })
      troupe.connect(source.outputs.numbers, adder.inputs.numbers)
      troupe.connect(adder.outputs.sums, sink.inputs.sums)
      await troupe.start()
      const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_RESTARTS' })
      t.is(error.where, 'mortal')
      t.regex(error.message, /after 2 restarts: .*of this/)
      t.is(read(probe, 1), 3)
      await troupe.stop()
    },
  )

  test.serial(`${stage}: a temporary replica that dies leaves its work to the others`, async (t) => {
    const probe = createProbe()
    const troupe = createTroupe({ stage, seed: 1 })
    const source = troupe.actor(numberSource, { config: { count: COUNT } })
    const adders = troupe.actor(mortal, {
      config: { probe, diesOf: 5 },
      replicas: 2,
      supervise: { restart: 'temporary' },
    })
    const sink = troupe.actor(keeper, { config: {} })
    troupe.connect(source.outputs.numbers, adders.inputs.numbers)
    troupe.connect(adders.outputs.sums, sink.inputs.sums)
    await troupe.start()
    await troupe.done
    const seen = (await sink.ask.seen()).map(({ n }) => n).sort((a, b) => a - b)
    t.deepEqual(
      seen,
      Array.from({ length: COUNT }, (_, n) => n),
    )
    t.is(read(probe, 1), 2)
    await troupe.stop()
  })

  test.serial(`${stage}: with one for all, every actor goes on from what it has put away`, async (t) => {
    const probe = createProbe()
    const troupe = createTroupe({ stage, seed: 1 })
    troupe.supervisor({ name: 'all', strategy: 'one-for-all' })
    const source = troupe.actor(numberSource, { config: { count: COUNT }, under: 'all' })
    const adder = troupe.actor(mortal, { config: { probe, diesOf: 17, deaths: 2 }, supervise: quickly, under: 'all' })
    const sink = troupe.actor(keeper, { config: { probe, diesAfter: 30 }, supervise: quickly, under: 'all' })
    troupe.connect(source.outputs.numbers, adder.inputs.numbers)
    troupe.connect(adder.outputs.sums, sink.inputs.sums)
    await troupe.start()
    await troupe.done
    isWhole(t, await sink.ask.seen())
    t.is(read(probe, 1), 4, 'it was restarted with the sink, too')
    await troupe.stop()
  })
}

for (const stage of ['inline', 'virtual', 'threads'] as const)
  test.serial(
    `${stage}: an error that a stream of the actor's own leaves unhandled undoes what it was thrown at`,
    async (t) => {
      const probe = createProbe()
      const troupe = createTroupe({ stage, seed: 1 })
      const source = troupe.actor(numberSource, { config: { count: COUNT }, supervise: quickly })
      const sink = troupe.actor(loose, { config: { probe, diesOf: 17 }, supervise: quickly })
      troupe.connect(source.outputs.numbers, sink.inputs.numbers)
      await troupe.start()
      await troupe.done
      t.is(read(probe, 5), 2, 'the number came twice')
      t.deepEqual(
        await sink.ask.seen(),
        Array.from({ length: COUNT }, (_, n) => n),
      )
      await troupe.stop()
    },
  )
