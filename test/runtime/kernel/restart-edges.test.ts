import test from 'ava'
import { filter, range } from 'rxjs'
import { z } from 'zod'
import {
  createTroupe,
  defineActor,
  port,
  type RestartOptions,
  type RunEvent,
  realClock,
  type TroupeError,
} from '../../../runtime/index.js'
import type { Faults } from '../../../runtime/placement/virtual-faults.js'
import { createWeightStore } from '../../../runtime/tensor/weight-store.js'
import { createVirtualTime } from '../../../runtime/time/virtual.js'
import { keeper, mortal, numberSource } from '../fixtures/mortal.js'
import { createProbe, read } from '../fixtures/probe.js'

const COUNT = 20
const quickly: RestartOptions = { maxRestarts: 5, backoff: { firstMs: 0 } }

/** Passes numbers on, and fails as it is told. */
function fragile(fails: { readonly snapshot?: () => boolean; readonly start?: () => boolean }) {
  return defineActor({
    module: import.meta.url,
    role: 'fragile',
    inputs: { numbers: port<number>() },
    outputs: { sums: port<{ n: number; sum: number; lives: number }>() },
    config: z.strictObject({}),
    start({ turn }) {
      if (fails.start?.()) throw new Error('no start')
      let sum = 0
      let lives = 0
      return {
        streams: ({ numbers }) => ({
          sums: numbers.pipe(
            turn((n) => {
              sum += n
              return { n, sum, lives }
            }),
          ),
        }),
        api: { lives: () => lives },
        snapshot: () => {
          if (fails.snapshot?.()) throw new Error('no snapshot')
          return { sum, lives }
        },
        restore: (state) => {
          const before = state as { sum: number; lives: number }
          sum = before.sum
          lives = before.lives + 1
        },
      }
    },
  })
}

function once(): () => boolean {
  let done = false
  return () => {
    const first = !done
    done = true
    return first
  }
}

const whole = Array.from({ length: COUNT }, (_, n) => [n, (n * (n + 1)) / 2])

for (const stage of ['inline', 'virtual'] as const)
  test(`${stage}: a snapshot that throws is a failure of its actor, which goes on from the one before`, async (t) => {
    const troupe = createTroupe({ stage, seed: 1 })
    const source = troupe.actor(numberSource, { config: { count: COUNT } })
    let snapshots = 0
    const adder = troupe.actor(fragile({ snapshot: () => ++snapshots === 7 }), { config: {}, supervise: quickly })
    const sink = troupe.actor(keeper, { config: {} })
    troupe.connect(source.outputs.numbers, adder.inputs.numbers)
    troupe.connect(adder.outputs.sums, sink.inputs.sums)
    await troupe.start()
    await troupe.done
    const seen = await sink.ask.seen()
    t.deepEqual(
      seen.map(({ n, sum }) => [n, sum]),
      whole,
    )
    t.is(seen.at(-1)?.lives, 1)
    await troupe.stop()
  })

for (const stage of ['inline', 'virtual'] as const)
  test(`${stage}: what throws in a subscription of an actor’s own is not put away as done`, async (t) => {
    const troupe = createTroupe({ stage, seed: 1 })
    const source = troupe.actor(numberSource, { config: { count: COUNT } })
    const thrown = once()
    const seen: number[] = []
    const sink = troupe.actor(
      defineActor({
        module: import.meta.url,
        role: 'subscriber',
        inputs: { numbers: port<number>() },
        outputs: {},
        config: z.strictObject({}),
        start: () => ({
          streams: ({ numbers }) => {
            numbers.subscribe((n) => {
              if (n === 5 && thrown()) throw new Error('in a handler')
              seen.push(n)
            })
            return {}
          },
          snapshot: () => undefined,
        }),
      }),
      { config: {}, supervise: quickly },
    )
    troupe.connect(source.outputs.numbers, sink.inputs.numbers, { credits: 1 })
    await troupe.start()
    await troupe.done
    t.deepEqual(
      seen,
      Array.from({ length: COUNT }, (_, n) => n),
    )
    await troupe.stop()
  })

test('one that fails to start again does not keep those from starting that are restarted with it', async (t) => {
  const troupe = createTroupe({ stage: 'virtual', seed: 1 })
  const probe = createProbe()
  troupe.supervisor({ name: 'top', strategy: 'one-for-one', ...quickly })
  const under = { under: 'top', supervise: { maxRestarts: 0 } }
  const source = troupe.actor(numberSource, { config: { count: COUNT } })
  let starts = 0
  const first = troupe.actor(fragile({ start: () => ++starts === 2 }), {
    config: {},
    under: 'top',
    supervise: { maxRestarts: 1, backoff: { firstMs: 10 } },
  })
  const sink = troupe.actor(keeper, { config: { probe, diesAfter: 9 }, ...under })
  troupe.connect(source.outputs.numbers, first.inputs.numbers)
  troupe.connect(first.outputs.sums, sink.inputs.sums)
  await troupe.start()
  await troupe.done
  t.is(starts, 3)
  t.deepEqual(
    (await sink.ask.seen()).map(({ n, sum }) => [n, sum]),
    whole,
  )
  await troupe.stop()
})

test('what stands for a message set aside leaves before a turn is waited for that may need it', async (t) => {
  const store = createWeightStore({ entries: [{ name: 'w', shape: [1], offset: 0, length: 1 }], total: 1 })
  const waiter = defineActor({
    module: import.meta.url,
    role: 'waiter',
    inputs: { numbers: port<number>() },
    outputs: { numbers: port<number>() },
    config: z.strictObject({}),
    start: ({ turn, weights, signal }) => ({
      streams: ({ numbers }) => ({
        numbers: numbers.pipe(
          turn(
            (n) => {
              if (n === 0) throw new Error('of this')
              return n
            },
            {
              ready: async (n) => {
                if (n > 0) await weights.atLeast(n, { deadlineMs: 1000, signal })
              },
            },
          ),
        ),
      }),
      snapshot: () => undefined,
      setAside: () => ({ numbers: 0 }),
    }),
  })
  const publisher = defineActor({
    module: import.meta.url,
    role: 'publisher',
    inputs: { numbers: port<number>() },
    outputs: {},
    config: z.strictObject({}),
    start: ({ turn, weights }) => ({
      streams: ({ numbers }) => {
        numbers.pipe(turn((n) => weights.publish(n + 1, new Float32Array(1)))).subscribe()
        return {}
      },
    }),
  })
  const troupe = createTroupe({ stage: 'virtual', seed: 1, weights: store.handle })
  const source = troupe.actor(numberSource, { config: { count: 5 } })
  const middle = troupe.actor(waiter, { config: {}, supervise: quickly })
  const end = troupe.actor(publisher, { config: {} })
  troupe.connect(source.outputs.numbers, middle.inputs.numbers)
  troupe.connect(middle.outputs.numbers, end.inputs.numbers)
  await troupe.start()
  await troupe.done
  t.is(store.version(), 5)
  await troupe.stop()
})

test('a temporary replica that throws leaves its work to the others, also when links are slow and its sender has ended', async (t) => {
  const probe = createProbe()
  const troupe = createTroupe({
    stage: 'virtual',
    seed: 1,
    virtual: { links: { '*->*': 5 }, costs: { mortal: 50 } },
  })
  const source = troupe.actor(numberSource, { config: { count: COUNT } })
  const adders = troupe.actor(mortal, {
    config: { probe, diesOf: 3 },
    replicas: 2,
    supervise: { restart: 'temporary' },
  })
  const sink = troupe.actor(keeper, { config: {} })
  troupe.connect(source.outputs.numbers, adders.inputs.numbers, { credits: 16 })
  troupe.connect(adders.outputs.sums, sink.inputs.sums)
  await troupe.start()
  await troupe.done
  t.is(read(probe, 0), 2, 'the message came again, to its sibling')
  const seen = (await sink.ask.seen()).map(({ n }) => n).sort((a, b) => a - b)
  t.deepEqual(
    seen,
    whole.map(([n]) => n),
  )
  await troupe.stop()
})

test('frames of an honest link come in the order in which they left, however times are rounded', async (t) => {
  for (let seed = 0; seed < 30; seed++) {
    const troupe = createTroupe({
      stage: 'virtual',
      seed,
      virtual: {
        costs: { '*': { distribution: 'exponential', meanMs: 1 } },
        links: { '*->*': { distribution: 'exponential', meanMs: 10 } },
      },
    })
    const source = troupe.actor(numberSource, { config: { count: 200 } })
    const adder = troupe.actor(mortal, { config: { probe: createProbe() } })
    const sink = troupe.actor(keeper, { config: {} })
    troupe.connect(source.outputs.numbers, adder.inputs.numbers, { credits: 16 })
    troupe.connect(adder.outputs.sums, sink.inputs.sums, { credits: 16 })
    await troupe.start()
    await troupe.done
    t.is((await sink.ask.seen()).length, 200)
    await troupe.stop()
  }
})

function hanging(faults: Faults) {
  const events: RunEvent[] = []
  const troupe = createTroupe({
    stage: 'virtual',
    seed: 1,
    heartbeatMs: 100,
    hangAfterMs: 500,
    observe: (event) => events.push(event),
    virtual: { faults },
  })
  const source = troupe.actor(numberSource, { config: { count: COUNT } })
  const adder = troupe.actor(fragile({}), { config: {}, supervise: { ...quickly, backoff: { firstMs: 10 } } })
  const sink = troupe.actor(keeper, { config: {} })
  troupe.connect(source.outputs.numbers, adder.inputs.numbers)
  troupe.connect(adder.outputs.sums, sink.inputs.sums)
  return { troupe, events, adder, sink }
}

test('a host that hangs is found by its heartbeat, ended, and its actor goes on', async (t) => {
  const hangs = once()
  const { troupe, events, sink } = hanging({
    turn: ({ actor, index }) => (actor === 'fragile' && index === 5 && hangs() ? 'hang' : undefined),
  })
  await troupe.start()
  await troupe.done
  t.true(troupe.clock.now() >= 500 && troupe.clock.now() < 1000)
  const codes = events.flatMap((event) =>
    event.type === 'state' && event.state === 'failed' ? [event.error?.code] : [],
  )
  t.deepEqual(codes, ['E_HOST_HUNG'])
  t.deepEqual(
    (await sink.ask.seen()).map(({ n, sum }) => [n, sum]),
    whole,
  )
  await troupe.stop()
})

test('who asks an actor that was restarted, and stopped since, hears at once that it is down', async (t) => {
  const dies = once()
  const { troupe, adder } = hanging({
    turn: ({ actor, index }) => (actor === 'fragile' && index === 5 && dies() ? 'before' : undefined),
  })
  await troupe.start()
  await troupe.done
  t.is(await adder.ask.lives(), 1)
  await troupe.stop()
  await t.throwsAsync(async () => adder.ask.lives(), { code: 'E_ACTOR_DOWN' })
})

test('a snapshot that does not come is a failure of its actor, after a minute', async (t) => {
  const time = createVirtualTime()
  const release = time.hold()
  const troupe = createTroupe({ stage: 'inline', seed: 1, clock: time.clock, journal: { save: () => {} } })
  const waiter = defineActor({
    module: import.meta.url,
    role: 'waiter',
    inputs: { numbers: port<number>() },
    outputs: {},
    config: z.strictObject({}),
    start: ({ turn }) => ({
      streams: ({ numbers }) => {
        numbers.pipe(turn(() => {})).subscribe()
        return {}
      },
      snapshot: () => new Promise(() => {}),
    }),
  })
  const source = troupe.actor(numberSource, { config: { count: COUNT } })
  const sink = troupe.actor(waiter, { config: {} })
  troupe.connect(source.outputs.numbers, sink.inputs.numbers, { credits: 1 })
  await troupe.start()
  const from = time.clock.now()
  release()
  const failure = await t.throwsAsync(troupe.done, { code: 'E_ACTOR_FAILED' })
  const cause = failure?.cause as TroupeError
  t.is(cause.code, 'E_DEADLINE')
  t.is(cause.message, 'the snapshot of waiter did not finish within 60000 ms')
  t.regex(cause.hint ?? '', /must settle by itself/)
  t.is(time.clock.now() - from, 60_000)
  time.hold()
  await troupe.stop().catch(() => {})
})

for (const stage of ['inline', 'virtual'] as const)
  test(`${stage}: what was emitted outside of a turn leaves before a turn that waits for what comes of it`, async (t) => {
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const done: number[] = []
    const burst = defineActor({
      module: import.meta.url,
      role: 'burst',
      inputs: {},
      outputs: { numbers: port<number>() },
      config: z.strictObject({}),
      start: () => ({ streams: () => ({ numbers: range(0, COUNT) }), snapshot: () => undefined }),
    })
    const asker = defineActor({
      module: import.meta.url,
      role: 'asker',
      inputs: { numbers: port<number>() },
      outputs: { questions: port<number>(), results: port<number>() },
      config: z.strictObject({}),
      start: ({ turn }) => ({
        streams: ({ numbers }) => ({
          questions: numbers.pipe(filter((n) => n === 0)),
          results: numbers.pipe(
            filter((n) => n > 0),
            turn((n) => n, { ready: () => answered }),
          ),
        }),
        snapshot: () => undefined,
      }),
    })
    const sink = defineActor({
      module: import.meta.url,
      role: 'sink',
      inputs: { results: port<number>() },
      outputs: {},
      config: z.strictObject({}),
      start: () => ({
        streams: ({ results }) => {
          results.subscribe((n) => done.push(n))
          return {}
        },
      }),
    })
    const answerer = defineActor({
      module: import.meta.url,
      role: 'answerer',
      inputs: { questions: port<number>() },
      outputs: {},
      config: z.strictObject({}),
      start: () => ({
        streams: ({ questions }) => {
          questions.subscribe(() => answer())
          return {}
        },
      }),
    })
    const troupe = createTroupe({ stage, seed: 1, journal: { save: () => {} } })
    const source = troupe.actor(burst, { config: {} })
    const middle = troupe.actor(asker, { config: {} })
    const other = troupe.actor(answerer, { config: {} })
    const last = troupe.actor(sink, { config: {} })
    troupe.connect(source.outputs.numbers, middle.inputs.numbers, { credits: COUNT })
    troupe.connect(middle.outputs.questions, other.inputs.questions)
    troupe.connect(middle.outputs.results, last.inputs.results)
    await troupe.start()
    await realClock.deadline(troupe.done, 10_000, 'the run')
    t.deepEqual(
      done,
      Array.from({ length: COUNT - 1 }, (_, n) => n + 1),
    )
    await troupe.stop()
  })
