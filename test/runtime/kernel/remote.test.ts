import test from 'ava'
import fc from 'fast-check'
import type { DemonstrationBatch, ModelSnapshot, SeedPrompts } from '../../../actors/messages.js'
import { encodedWire, throughCodec } from '../../../runtime/channel/encoded-wire.js'
import { InlineBus } from '../../../runtime/channel/index.js'
import type { Frame } from '../../../runtime/channel/protocol.js'
import { createTroupe, realScheduler, type TroupeError } from '../../../runtime/index.js'
import { toWire } from '../../../runtime/kernel/errors.js'
import { candidateBatch, judgedBatch, promptBatch } from '../../actors/fixtures/batches.js'
import { giver, keeper } from '../fixtures/messages.js'
import { collector, counter, doubler } from '../fixtures/numbers.js'
import { createTroupeIn } from '../fixtures/places.js'
import { smuggler } from '../fixtures/travellers.js'

const snapshot: ModelSnapshot = {
  name: 'M1',
  version: 3,
  params: new Float32Array(20_000).map((_, i) => i / 7),
  pairs: 2,
  droppedTies: 1,
}
const demonstrations: DemonstrationBatch = {
  id: 1,
  demonstrations: [{ kind: 'ift', prompt: 'a', answer: 'b' } as never],
}
const seeds: SeedPrompts = { prompts: ['name three birds', 'ünï © 🦜'] }
const versions = new Int32Array([1, 2, 3])
const [group] = candidateBatch(2).groups
const messages = {
  PromptBatch: promptBatch(1),
  CandidateBatch: candidateBatch(2, { abandoned: ['0.1'] }),
  'CandidateBatch of mixed versions': candidateBatch(2, {
    groups: [{ ...group!, completions: [{ ...group!.completions[0]!, versions }] }],
  }),
  JudgedBatch: judgedBatch(3, 4),
  DemonstrationBatch: demonstrations,
  SeedPrompts: seeds,
  ModelSnapshot: snapshot,
}

for (const [name, message] of Object.entries(messages))
  test(`a ${name} comes out of the codec as it went in`, (t) => {
    t.deepEqual(throughCodec(message), message as never)
  })

const error = toWire(new RangeError('deep', { cause: new Error('deeper') }))
const frames: Frame[] = [
  { type: 'data', seq: 0, message: messages.JudgedBatch },
  { type: 'batch', seq: 7, messages: [1, undefined, messages.PromptBatch] },
  { type: 'lost', seq: 3, count: 2 },
  { type: 'complete', seq: 9 },
  { type: 'error', seq: 9, error },
  { type: 'probe' },
  { type: 'grant', acked: 3, upTo: 9 },
  { type: 'cancel' },
]

test('every frame of the protocol crosses a wire that encodes', async (t) => {
  const [near, far] = new InlineBus(realScheduler).pair()
  const got: unknown[] = []
  encodedWire(far).listen((raw) => void got.push(raw))
  const wire = encodedWire(near)
  for (const frame of frames) wire.post(frame)
  await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(got, frames)
})

test('whatever a structured clone can carry, the codec carries', async (t) => {
  const anything = fc.anything({
    ...{ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true },
    maxDepth: 3,
  })
  fc.assert(
    fc.property(anything, (value) => {
      t.deepEqual(throughCodec(value), structuredClone(value))
    }),
    { numRuns: 500, seed: 5 },
  )
})

for (const stage of ['inline', 'threads', 'virtual'] as const)
  test.serial(`${stage}: as if remote, a troupe that may travel does what it does`, async (t) => {
    const troupe = createTroupe({ stage, seed: 1, remote: true })
    const source = troupe.actor(counter, { config: { count: 50 } })
    const middle = troupe.actor(doubler, { config: {}, replicas: 2, supervise: { maxRestarts: 1 } })
    const sink = troupe.actor(collector, { config: {} })
    const blocks = troupe.actor(giver, { config: { count: 3 } })
    const kept = troupe.actor(keeper, { config: {} })
    troupe.connect(source.outputs.numbers, middle.inputs.numbers)
    troupe.connect(middle.outputs.doubled, sink.inputs.numbers)
    troupe.connect(blocks.outputs.blocks, kept.inputs.blocks)
    await troupe.start()
    await troupe.done
    t.deepEqual(
      (await sink.ask.seen()).toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, n) => 2 * n),
    )
    t.deepEqual(
      await kept.ask.kept(),
      [0, 1, 2].map((id) => [id, id + 1, id + 2]),
    )
    t.deepEqual(await blocks.ask.left(), [0, 0, 0], 'what is given up is empty, as it would be')
    await troupe.stop()
  })

const everyCause = (error: unknown): string =>
  error instanceof Error ? `${(error as TroupeError).code} ${error.message} ${everyCause(error.cause)}` : ''

for (const stage of ['inline', 'threads'] as const)
  for (const where of ['config', 'output', 'record', 'answer', 'argument', 'snapshot'] as const)
    for (const what of ['shared', 'tensor'] as const) {
      // a tensor is refused wherever it lives; shared memory only where it could not go
      const found = what === 'tensor' ? /E_MESSAGE field "[^"]*memory" is a tf.Tensor/ : /E_MESSAGE.*shared memory/
      if (where === 'config' && what === 'tensor') continue
      test.serial(`${stage}: ${what} in ${where} is found as if it were remote`, async (t) => {
        const troupe = createTroupe({ stage, seed: 1, remote: true })
        const memory =
          what === 'shared'
            ? new SharedArrayBuffer(8)
            : { dataId: {}, rankType: '1', shape: [2], dtype: 'float32', kept: false }
        const luggage = where === 'config' ? { memory } : undefined
        const inside = where === 'argument' ? 'nowhere' : where
        const supervise = where === 'snapshot' ? { maxRestarts: 1, backoff: { firstMs: 0 } } : undefined
        const actor = troupe.actor(smuggler, { config: { where: inside, what, luggage }, supervise })
        const sink = troupe.actor(collector, { config: {} })
        troupe.connect(actor.outputs.things as never, sink.inputs.numbers)
        const run = async () => {
          await troupe.start()
          if (where === 'answer' || where === 'argument') await actor.ask.show(where === 'argument' ? { memory } : 0)
          await troupe.done
        }
        const error = await t.throwsAsync(run)
        t.regex(everyCause(error), found)
        await troupe.stop().catch(() => {})
      })
    }

test('a snapshot that holds a tensor is refused in every placement', async (t) => {
  for (const place of ['inline', 'threads', 'processes'] as const) {
    const troupe = createTroupeIn(place)
    const supervise = { maxRestarts: 1, backoff: { firstMs: 0 } }
    const actor = troupe.actor(smuggler, { config: { where: 'snapshot', what: 'tensor' }, supervise })
    const sink = troupe.actor(collector, { config: {} })
    troupe.connect(actor.outputs.things as never, sink.inputs.numbers)
    await troupe.start()
    const error = await t.throwsAsync(async () => troupe.done, { code: 'E_RESTARTS' })
    t.regex(everyCause(error), /E_MESSAGE field "memory" is a tf.Tensor/)
    await troupe.stop()
  }
})
