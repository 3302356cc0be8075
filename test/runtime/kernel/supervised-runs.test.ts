import test from 'ava'
import {
  createTroupe,
  type RunEvent,
  type SupervisorOptions,
  seededRandom,
  type TroupeError,
} from '../../../runtime/index.js'
import { keeper, mortal, numberSource } from '../fixtures/mortal.js'
import { collector, counter, doubler } from '../fixtures/numbers.js'
import { createProbe } from '../fixtures/probe.js'
import { done, gusher, starter } from '../fixtures/starters.js'

type Faults = NonNullable<NonNullable<Parameters<typeof createTroupe>[0]['virtual']>['faults']>
const COUNT = 40
const once = { maxRestarts: 5, backoff: { firstMs: 100, factor: 2, mostMs: 350 } }

/** Source, adder and sink under one supervisor, in virtual time. */
function supervised(supervisors: SupervisorOptions[], under: string, faults: Faults, supervise = once) {
  const events: RunEvent[] = []
  const virtual = { faults, links: { '*->*': 3 } }
  const troupe = createTroupe({ stage: 'virtual', seed: 1, virtual, observe: (event) => events.push(event) })
  for (const each of supervisors) troupe.supervisor(each)
  const source = troupe.actor(numberSource, { config: { count: COUNT }, supervise, under })
  const adder = troupe.actor(mortal, { config: { probe: createProbe() }, supervise, under })
  const sink = troupe.actor(keeper, { config: {}, supervise, under })
  troupe.connect(source.outputs.numbers, adder.inputs.numbers)
  troupe.connect(adder.outputs.sums, sink.inputs.sums)
  const states = (state: string) =>
    events.flatMap((e) => (e.type === 'state' && e.state === state ? [{ name: e.actor.name, at: e.at }] : []))
  return { troupe, sink, states, events }
}

const whole = Array.from({ length: COUNT }, (_, n) => [n, (n * (n + 1)) / 2])

/** Ends an actor in its turns of these numbers, each once. */
function deaths(actor: string, indices: number[]): Faults {
  const left = new Set(indices)
  return { turn: (turn) => (turn.actor === actor && left.delete(turn.index) ? 'during' : undefined) }
}

for (const [strategy, restarted, stopped] of [
  ['one-for-one', ['mortal'], []],
  ['one-for-all', ['number-source', 'mortal', 'keeper'], ['keeper', 'number-source']],
  ['rest-for-one', ['mortal', 'keeper'], ['keeper']],
] as const)
  test(`${strategy}: stopped in reverse, started in order, after the wait, and nothing is lost or doubled`, async (t) => {
    const { troupe, sink, states } = supervised([{ name: 's', strategy }], 's', deaths('mortal', [17]))
    await troupe.start()
    await troupe.done
    t.deepEqual(
      (await sink.ask.seen()).map(({ n, sum }) => [n, sum]),
      whole,
    )
    t.deepEqual(
      states('stopped').map(({ name }) => name),
      [...stopped],
    )
    t.deepEqual(
      states('restarting').map(({ name }) => name),
      [...restarted],
    )
    const again = states('starting').slice(3)
    t.deepEqual(
      again.map(({ name }) => name),
      [...restarted],
    )
    const [failed] = states('failed')
    t.true(again.every(({ at }) => at === failed!.at + 100))
    await troupe.stop()
    t.deepEqual(
      states('stopped')
        .slice(stopped.length)
        .map(({ name }) => name),
      ['keeper', 'mortal', 'number-source'],
    )
  })

test('waits grow, to the virtual millisecond', async (t) => {
  const { troupe, sink, states } = supervised([], undefined as never, deaths('mortal', [4, 5, 9, 20]))
  await troupe.start()
  await troupe.done
  const begun = states('starting')
    .filter(({ name }) => name === 'mortal')
    .slice(1)
  t.deepEqual(
    states('failed').map(({ at }, i) => begun[i]!.at - at),
    [100, 200, 350, 350],
  )
  t.deepEqual(
    (await sink.ask.seen()).map(({ n, sum }) => [n, sum]),
    whole,
  )
  await troupe.stop()
})

test('budgets of two levels multiply, then the troupe fails, and says where', async (t) => {
  const supervise = { maxRestarts: 2, backoff: { firstMs: 1, factor: 1, mostMs: 1 } }
  const faults: Faults = { turn: ({ actor }) => (actor === 'mortal' ? 'before' : undefined) }
  const { troupe, states } = supervised(
    [{ name: 'low', strategy: 'one-for-one', ...supervise }],
    'low',
    faults,
    supervise,
  )
  await troupe.start()
  const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_RESTARTS' })
  t.is(error.where, 'mortal')
  t.is(states('failed').length, 3 * 3, 'two restarts of its own in each of three lives of its supervisor')
  t.is(states('starting').filter(({ name }) => name === 'keeper').length, 3)
  await troupe.stop()
})

test('frames that are lost, doubled and overtaken, and actors that die: each pair keeps its order, once', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seededRandom(seed, 'network')
    const tamper = () => (random.chance(0.2) ? [] : Array.from({ length: 1 + random.int(2) }, () => random.int(40)))
    const { turn } = deaths('mortal', seed % 2 ? [7, 23] : [])
    const { troupe, sink } = supervised([], undefined as never, { tamper, turn, repeatMs: 20 })
    await troupe.start()
    await troupe.done
    t.deepEqual(
      (await sink.ask.seen()).map(({ n, sum }) => [n, sum]),
      whole,
      `seed ${seed}`,
    )
    await troupe.stop()
  }
})

test('of a replica that is given up, what it has sent still arrives, and what it had not done goes to its sibling', async (t) => {
  const virtual = {
    faults: deaths('doubler/0', [5]),
    links: { '*->*': { distribution: 'uniform', minMs: 1, maxMs: 30 } as const },
  }
  const troupe = createTroupe({ stage: 'virtual', seed: 3, virtual })
  const source = troupe.actor(counter, { config: { count: COUNT } })
  const middle = troupe.actor(doubler, { config: {}, replicas: 2, supervise: { restart: 'temporary' } })
  const sink = troupe.actor(collector, { config: {} })
  troupe.connect(source.outputs.numbers, middle.inputs.numbers)
  troupe.connect(middle.outputs.doubled, sink.inputs.numbers)
  await troupe.start()
  await troupe.done
  t.deepEqual(
    (await sink.ask.seen()).toSorted((a, b) => a - b),
    Array.from({ length: COUNT }, (_, n) => 2 * n),
  )
  await troupe.stop()
})

test.serial('under a supervisor actors start one after another, under the troupe all at once', async (t) => {
  for (const under of ['s', undefined]) {
    done.length = 0
    const troupe = createTroupe({ stage: 'threads', seed: 1, place: { a: 'inline', b: 'inline' } })
    troupe.supervisor({ name: 's', strategy: 'rest-for-one' })
    troupe.actor(starter, { name: 'a', config: { rounds: 30 }, under })
    troupe.actor(starter, { name: 'b', config: { rounds: 1 }, under })
    await troupe.start()
    await troupe.stop()
    const order = under
      ? ['a begins', 'a is there', 'b begins', 'b is there']
      : ['a begins', 'b begins', 'b is there', 'a is there']
    t.deepEqual(done, [...order, 'b stops', 'a stops'])
  }
})

for (const stage of ['inline', 'threads'] as const)
  for (const overflow of ['drop-new', 'drop-old'] as const)
    test.serial(
      `${stage}: ${overflow}: what is not delivered is a dead letter, and the sender is not at fault`,
      async (t) => {
        const letters: { port: string; reason: string; message: number }[] = []
        const troupe = createTroupe({
          stage,
          seed: 1,
          observe: (e) =>
            e.type === 'record' && e.kind === 'dead-letters' && letters.push(e.value as (typeof letters)[number]),
        })
        const ticks = troupe.actor(counter, { config: { count: 20 } })
        const source = troupe.actor(gusher, { config: { perTick: 50 } })
        const sink = troupe.actor(collector, { config: {} })
        troupe.connect(ticks.outputs.numbers, source.inputs.ticks)
        troupe.connect(source.outputs.drops, sink.inputs.numbers, { credits: 8, overflow })
        await troupe.start()
        await troupe.done
        const seen = await sink.ask.seen()
        const emitted = await source.ask.emitted()
        await troupe.stop()
        t.is(emitted, 1000)
        t.true(
          letters.length >= 20 * (50 - 16) &&
            letters.every(({ port, reason }) => port === 'drops' && reason === 'overflow'),
        )
        const all = [...seen, ...letters.map(({ message }) => message)].sort((a, b) => a - b)
        t.deepEqual(
          all,
          Array.from({ length: 1000 }, (_, i) => i),
          'emitted = delivered + dead letters',
        )
        t.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
        )
        t.is(seen.includes(999), overflow === 'drop-old', 'the newest of the last gush')
      },
    )

test('fail: the sender is at fault; an overflow that there is not is refused by name', async (t) => {
  const troupe = createTroupe({ stage: 'inline', seed: 1 })
  const ticks = troupe.actor(counter, { config: { count: 20 } })
  const source = troupe.actor(gusher, { config: { perTick: 50 } })
  const sink = troupe.actor(collector, { config: {} })
  troupe.connect(ticks.outputs.numbers, source.inputs.ticks)
  t.throws(() => troupe.connect(source.outputs.drops, sink.inputs.numbers, { overflow: 'lose' as never }), {
    ...{ code: 'E_CONFIG', message: /overflow must be one of block, drop-new, drop-old, fail/ },
  })
  troupe.connect(source.outputs.drops, sink.inputs.numbers, { credits: 8, overflow: 'fail' })
  await troupe.start()
  const error = await t.throwsAsync<TroupeError>(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
  t.like(error.cause, { code: 'E_CHANNEL', where: 'gusher, output "drops"' })
  await troupe.stop()
})
