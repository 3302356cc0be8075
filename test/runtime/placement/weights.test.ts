import test from 'ava'
import { createTroupe, type RunEvent } from '../../../runtime/index.js'
import { createWeightStore } from '../../../runtime/tensor/weight-store.js'
import { counter } from '../fixtures/numbers.js'
import { follower, ledger, publisher } from '../fixtures/versions.js'

const COUNT = 30
const layout = { entries: [{ name: 'w', shape: [8], offset: 0, length: 8 }], total: 8 }

async function follow(stage: 'inline' | 'threads') {
  const events: string[] = []
  const observe = (event: RunEvent) => {
    if (event.type === 'span' || event.type === 'record') events.push(JSON.stringify([event.actor.name, event.type]))
  }
  const troupe = createTroupe({ stage, seed: 1, weights: createWeightStore(layout).handle, observe })
  const source = troupe.actor(counter, { config: { count: COUNT } })
  troupe.actor(publisher, { config: { count: COUNT } })
  const followers = troupe.actor(follower, { config: {}, replicas: 2 })
  const book = troupe.actor(ledger, { config: {} })
  troupe.connect(source.outputs.numbers, followers.inputs.numbers)
  troupe.connect(followers.outputs.used, book.inputs.used)
  await troupe.start()
  await troupe.done
  const all = await book.ask.all()
  await troupe.stop()
  return { all, events }
}

for (const stage of ['inline', 'threads'] as const) {
  test.serial(`${stage}: a turn waits until the weights it needs are published`, async (t) => {
    const { all } = await follow(stage)
    t.is(all.length, COUNT)
    for (const { wanted, version, value } of all) {
      t.true(version >= wanted && version < COUNT)
      t.is(value, version)
    }
  })
}

test.serial('inline: waiting for weights keeps the order of turns the same in every run', async (t) => {
  const first = await follow('inline')
  for (let run = 0; run < 5; run++) t.deepEqual(await follow('inline'), first)
})

test.serial('a troupe that stops does not wait for weights that never come', async (t) => {
  const troupe = createTroupe({ stage: 'inline', seed: 1, weights: createWeightStore(layout).handle })
  const source = troupe.actor(counter, { config: { count: 3 } })
  const waiting = troupe.actor(follower, { config: {} })
  troupe.connect(source.outputs.numbers, waiting.inputs.numbers)
  await troupe.start()
  await troupe.stop()
  await t.throwsAsync(async () => troupe.done, { code: 'E_STOPPED' })
})

test.serial('without weights, an actor that needs them does not start', async (t) => {
  const troupe = createTroupe({ stage: 'inline', seed: 1 })
  troupe.actor(publisher, { config: { count: 1 } })
  await t.throwsAsync(async () => troupe.start(), { code: 'E_ACTOR_FAILED', message: /no shared weights/ })
})
