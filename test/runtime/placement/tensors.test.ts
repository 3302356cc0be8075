import test, { type ExecutionContext } from 'ava'
import { type Backend, backends } from '../../../runtime/tensor/index.js'
import { isUsable } from '../../contract/support.js'
import { createTroupeIn, PLACES, type Place } from '../fixtures/places.js'
import { tensorGiver, tensorKeeper } from '../fixtures/travellers.js'

type Mode = 'copy' | 'move' | 'share'
const valuesOf = (dtype: string, length: number) =>
  Array.from({ length }, (_, i) => (dtype === 'bool' ? i % 2 : i * 3 - 5))
const KINDS = { float32: 'Float32Array', int32: 'Int32Array', bool: 'Uint8Array' } as const

function setUp(place: Place, config: { backend: Backend; mode: Mode; length: number }) {
  const troupe = createTroupeIn(place)
  const source = troupe.actor(tensorGiver, { config })
  const sink = troupe.actor(tensorKeeper, { config: {} })
  troupe.connect(source.outputs.copies, sink.inputs.copies)
  troupe.connect(source.outputs.moves, sink.inputs.moves)
  return { troupe, source, sink }
}

async function arrives(t: ExecutionContext, place: Place, backend: Backend, mode: Mode, length: number) {
  const { troupe, source, sink } = setUp(place, { backend, mode, length })
  await troupe.start()
  await troupe.done
  const kept = await sink.ask.kept()
  t.deepEqual(
    kept.map(({ values: _, ...rest }) => rest),
    (['float32', 'int32', 'bool'] as const).map((dtype) => ({
      ...{ dtype, shape: [length / 2, 2], kind: KINDS[dtype], isShared: mode === 'share' },
    })),
    mode,
  )
  for (const { dtype, values } of kept) t.deepEqual(values, valuesOf(dtype, length))
  t.deepEqual(await source.ask.left(), mode === 'move' ? [0, 0, 0] : [length, length, length])
  await troupe.stop()
}

const everyMessage = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${everyMessage(error.cause)}` : ''

for (const place of PLACES)
  for (const backend of backends)
    test.serial(`${place}: what ${backend} worked out arrives whole, copied, given up or shared`, async (t) => {
      if (!(await isUsable(t, backend))) return
      for (const length of [6, 40_000])
        for (const mode of ['copy', 'move'] as const) await arrives(t, place, backend, mode, length)
      if (place !== 'processes' && place !== 'mixed') return arrives(t, place, backend, 'share', 6)
      const { troupe } = setUp(place, { backend, mode: 'share', length: 6 })
      await troupe.start()
      const error = await t.throwsAsync(async () => troupe.done, { code: 'E_ACTOR_FAILED' })
      t.regex(everyMessage(error), /shared memory \(a SharedArrayBuffer\) cannot cross to another process/)
      await troupe.stop().catch(() => {})
    })
