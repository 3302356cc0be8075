import test from 'ava'
import { z } from 'zod'
import { createTroupe, defineActor, port } from '../../../runtime/index.js'
import { collector, counter, doubler } from '../fixtures/numbers.js'

const create = () => createTroupe({ stage: 'inline', seed: 1 })

test('a bad value and an unknown key are refused by role and key', (t) => {
  const troupe = create()
  t.throws(() => troupe.actor(counter, { config: { count: -1 } }), {
    code: 'E_CONFIG',
    message: /role "counter": count: /,
  })
  const unknown = { count: 1, cuont: 2 } as { count: number }
  const error = t.throws(() => troupe.actor(counter, { config: unknown }), { code: 'E_CONFIG', message: /cuont/ })
  t.is((error as unknown as { where: string }).where, 'counter.cuont')
})

test('an unknown key is refused also where the schema would strip it', (t) => {
  const lax = defineActor({
    module: import.meta.url,
    role: 'lax',
    inputs: {},
    outputs: {},
    config: z.object({ a: z.number().default(1) }),
    start: () => ({}),
  })
  const config = { b: 1 } as { a?: number }
  t.throws(() => create().actor(lax, { config }), { code: 'E_CONFIG', message: /role "lax": b: / })
})

test('names are unique, replicas and credits are counts', (t) => {
  const troupe = create()
  const one = troupe.actor(counter, { config: { count: 1 } })
  const two = troupe.actor(doubler, { config: {} })
  t.throws(() => troupe.actor(counter, { config: { count: 1 } }), { code: 'E_CONFIG', message: /two actors/ })
  t.throws(() => troupe.actor(counter, { config: { count: 1 }, name: 'b', replicas: 0 }), { code: 'E_CONFIG' })
  for (const credits of [0, 1.5, -3]) {
    t.throws(() => troupe.connect(one.outputs.numbers, two.inputs.numbers, { credits }), { code: 'E_CONFIG' })
  }
})

test('ports are checked when they are connected, and inputs when the troupe starts', async (t) => {
  const troupe = create()
  const one = troupe.actor(counter, { config: { count: 1 } })
  const sink = troupe.actor(collector, { config: {} })
  const wrong = { ...one.outputs.numbers, port: 'nombers' }
  t.throws(() => troupe.connect(wrong, sink.inputs.numbers), { code: 'E_CONFIG', message: /no output "nombers"/ })
  const stranger = create().actor(doubler, { config: {} })
  t.throws(() => troupe.connect(stranger.outputs.doubled, sink.inputs.numbers), { code: 'E_CONFIG' })
  await t.throwsAsync(async () => troupe.start(), { code: 'E_CONFIG', message: /input "numbers" of collector/ })
})

test('an optional input may be left unconnected, and is complete from the start', async (t) => {
  let ended = false
  const loner = defineActor({
    module: import.meta.url,
    role: 'loner',
    inputs: { hints: port<number>({ optional: true }) },
    outputs: {},
    config: z.strictObject({}),
    start: () => ({
      streams: ({ hints }) => {
        hints.subscribe({ complete: () => (ended = true) })
        return {}
      },
    }),
  })
  const troupe = create()
  troupe.actor(loner, { config: {} })
  await troupe.start()
  await troupe.done
  t.true(ended)
  await troupe.stop()
})

test('a troupe starts once; stopped before its start, it does not start', async (t) => {
  const troupe = create()
  troupe.actor(counter, { config: { count: 1 } })
  await troupe.start()
  await t.throwsAsync(async () => troupe.start(), { code: 'E_CONFIG' })
  t.throws(() => troupe.actor(doubler, { config: {} }), { code: 'E_CONFIG' })
  await troupe.stop()
  const late = create()
  await late.stop()
  await t.throwsAsync(async () => late.start(), { code: 'E_STOPPED' })
  await t.throwsAsync(async () => late.done, { code: 'E_STOPPED' })
  const aborted = createTroupe({ stage: 'inline', seed: 1, signal: AbortSignal.abort() })
  await t.throwsAsync(async () => aborted.start(), { code: 'E_STOPPED' })
})

test('a wrong stage is refused', (t) => {
  t.throws(() => createTroupe({ stage: 'moon' as 'inline', seed: 1 }), { code: 'E_CONFIG' })
})

test('message types must match, at compile time', (t) => {
  const words = defineActor({
    module: import.meta.url,
    role: 'words',
    inputs: { text: port<{ text: string }>() },
    outputs: { text: port<{ text: string; length: number }>() },
    config: z.strictObject({ language: z.string().default('en') }),
    start: () => ({ api: { count: (from: string) => from.length, later: async () => true } }),
  })
  const troupe = create()
  const one = troupe.actor(words, { config: {} })
  const two = troupe.actor(words, { config: { language: 'fr' }, name: 'two' })
  const numbers = troupe.actor(doubler, { config: {} })
  troupe.connect(one.outputs.text, two.inputs.text)
  const typed: () => Promise<number> = () => one.ask.count('abc')
  const all: () => Promise<boolean[]> = () => one.askAll.later()
  // @ts-expect-error a number is no text
  troupe.connect(numbers.outputs.doubled, two.inputs.text)
  // @ts-expect-error an input is no output
  t.throws(() => troupe.connect(two.inputs.text, two.inputs.text))
  // @ts-expect-error no such port
  t.is(one.outputs.other, undefined)
  // @ts-expect-error a string is asked for
  void (() => one.ask.count(3))
  // @ts-expect-error no such method
  void (() => one.ask.length('abc'))
  // @ts-expect-error the language is a string
  t.throws(() => troupe.actor(words, { config: { language: 3 }, name: 'three' }))
  t.is(typeof typed, typeof all)
})
