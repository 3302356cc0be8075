import test from 'ava'
import { openPolicy } from '../../actors/policy.js'
import { initParams, paramLayout } from '../../models/index.js'
import { createWeightStore } from '../../runtime/tensor/index.js'
import { type Random, seededRandom } from '../../runtime/time/random.js'
import { TINY_MODEL, untrained } from './fixtures/alone.js'
import { createWorld } from './fixtures/tiny-world.js'

const sampling = { temperature: 1, topP: 1, topK: 0, maxNewTokens: 12 }

/** A policy that follows a store in which version 6 appears when the fourth token is drawn. */
async function write(inFlight: 'keep' | 'recompute' | undefined) {
  const world = createWorld()
  const weights = createWeightStore(paramLayout(TINY_MODEL))
  weights.publish(5, untrained())
  const policy = openPolicy(TINY_MODEL, world, { backend: 'onnx' }, { weights })
  const before = policy.follow()
  let draws = 0
  const watched = (random: Random): Random => ({
    ...random,
    stream: (...names) => watched(random.stream(...names)),
    float: () => {
      if (++draws === 4) weights.publish(6, initParams(TINY_MODEL, seededRandom(9)))
      return random.float()
    },
  })
  const request = { context: world.answerContext('copy ant bee'), n: 1, random: watched(seededRandom(4)) }
  const written = (await policy.write([request], sampling, { inFlight }))[0]![0]!
  const followed = policy.follow()
  await policy.dispose()
  return { versions: [...written.versions!], before, followed }
}

test('a version published while a policy writes is taken at the next token, or not until the next answer', async (t) => {
  const plain = await write(undefined)
  t.is(plain.before, 5)
  t.true(plain.versions.length > 4)
  t.deepEqual(new Set(plain.versions), new Set([5]))
  t.is(plain.followed, 6)
  for (const keys of ['keep', 'recompute'] as const) {
    const { versions } = await write(keys)
    t.deepEqual(versions.slice(0, 5), [5, 5, 5, 5, 6])
    t.deepEqual(new Set(versions.slice(4)), new Set([6]))
  }
})
