import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createTroupe, type Placement, type RunEvent } from '../../../runtime/index.js'
import { frail } from '../fixtures/frail.js'
import { keeper, numberSource } from '../fixtures/mortal.js'

const COUNT = 60

for (const [source, sink] of [
  ['thread', 'process'],
  ['process', 'inline'],
] as const satisfies readonly (readonly [Placement, Placement])[]) {
  test.serial(
    `a process may die in any way, between a ${source} and a ${sink}: nothing is lost or doubled`,
    async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'troupe-frail-'))
      const events: RunEvent[] = []
      const troupe = createTroupe({
        stage: 'threads',
        seed: 1,
        place: { frail: 'process', 'number-source': source, keeper: sink },
        observe: (event) => events.push(event),
      })
      const supervise = { maxRestarts: 6, backoff: { firstMs: 0 } }
      const deaths = { 5: 'abort', 11: 'exit', 23: 'SIGKILL', 40: 'SIGSEGV', 51: 'throw' } as const
      const numbers = troupe.actor(numberSource, { config: { count: COUNT }, supervise })
      const adder = troupe.actor(frail, { config: { folder, deaths }, supervise })
      const all = troupe.actor(keeper, { config: {}, supervise })
      troupe.connect(numbers.outputs.numbers, adder.inputs.numbers)
      troupe.connect(adder.outputs.sums, all.inputs.sums)
      await troupe.start()
      await troupe.done
      const seen = await all.ask.seen()
      await troupe.stop()
      t.deepEqual(
        seen.map(({ n, sum }) => [n, sum]),
        Array.from({ length: COUNT }, (_, n) => [n, (n * (n + 1)) / 2]),
      )
      t.is(new Set(seen.map(({ lives }) => lives)).size, 6, 'a process for each of its lives')
      const failures = events.flatMap((e) =>
        e.type === 'state' && e.state === 'failed' ? [e.error?.code ?? 'none'] : [],
      )
      t.deepEqual(failures, ['E_HOST_ABORTED', 'E_HOST_DIED', 'E_HOST_DIED', 'E_HOST_ABORTED', 'none'])
    },
  )
}
