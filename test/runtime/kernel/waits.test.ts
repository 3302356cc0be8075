import test from 'ava'
import { filter, range } from 'rxjs'
import { z } from 'zod'
import { createTroupe, defineActor, port, realClock, type TroupeError } from '../../../runtime/index.js'
import { createVirtualTime } from '../../../runtime/time/virtual.js'
import { numberSource } from '../fixtures/mortal.js'

const COUNT = 20

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
