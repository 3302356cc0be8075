import * as tf from '@tensorflow/tfjs-core'
import test from 'ava'
import { createTroupe, type RunEvent } from '../../../runtime/index.js'
import { reckoner } from '../fixtures/counting-tensors.js'
import { collector, counter } from '../fixtures/numbers.js'
import { runOnce } from './support.js'

const TURNS = 10_000
const FAILS = [100, 5000, 9000]

for (const backend of ['cpu', 'onnx'] as const)
  test.serial(
    `${backend}: TensorFlow.js holds after ${TURNS} turns, and after crashes, what it held before`,
    async (t) => {
      await runOnce((inputs) => inputs, [{ dtype: 'float32', shape: [1], data: Float32Array.of(1) }], { backend })
      const before = tf.memory()
      const events: RunEvent[] = []
      const troupe = createTroupe({ stage: 'inline', seed: 1, observe: (event) => events.push(event) })
      const source = troupe.actor(counter, { config: { count: TURNS } })
      const fails = backend === 'cpu' ? FAILS : FAILS.map((n) => n + 1)
      const supervise = { maxRestarts: 3, backoff: { firstMs: 0 } }
      const actor = troupe.actor(reckoner, { config: { backend, fails }, supervise })
      const sink = troupe.actor(collector, { config: {} })
      troupe.connect(source.outputs.numbers, actor.inputs.numbers, { credits: 64 })
      troupe.connect(actor.outputs.numbers, sink.inputs.numbers, { credits: 64 })
      await troupe.start()
      await troupe.done
      const seen = await sink.ask.seen()
      t.deepEqual(
        seen,
        Array.from({ length: TURNS }, (_, n) => (n % 100) ** 2 + 2 + 12),
      )
      t.is(events.filter((e) => e.type === 'state' && e.state === 'failed').length, FAILS.length)
      t.is(tf.memory().numTensors, before.numTensors + 1, 'the variable of the one that lives')
      await troupe.stop()
      const { numTensors, numBytes, numDataBuffers } = tf.memory()
      t.deepEqual(
        { numTensors, numBytes, numDataBuffers },
        { numTensors: before.numTensors, numBytes: before.numBytes, numDataBuffers: before.numDataBuffers },
      )
    },
  )
