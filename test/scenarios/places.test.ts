import test, { type ExecutionContext } from 'ava'
import { figures, records, type TinyRun, tinyRun } from './fixtures/tiny-run.js'

const synchronous = { staleness: { max: 0 } } as const
const reference = tinyRun('threads', synchronous)

function same(t: ExecutionContext, a: TinyRun, b: TinyRun): void {
  const { config: _, ...expected } = figures(a.summary)
  const { config: __, ...found } = figures(b.summary)
  t.deepEqual(found, expected)
  t.deepEqual(records(b, 'sample'), records(a, 'sample'))
  t.deepEqual(records(b, 'evaluation'), records(a, 'evaluation'))
  for (const [name, bytes] of Object.entries(a.weights)) t.true(bytes.equals(b.weights[name]!), `weights of ${name}`)
}

for (const place of [
  { judge: 'process' },
  { learner: 'process' },
  { learner: 'inline', sampler: 'process' },
  {
    source: 'process',
    'prompt-generator': 'process',
    sampler: 'process',
    judge: 'process',
    learner: 'process',
    evaluator: 'process',
  },
] as const)
  test.serial(
    `self-rewarding is the same, to the bit, with ${Object.entries(place)
      .map(([role, where]) => `${role} in ${where}`)
      .join(', ')}`,
    async (t) => {
      const run = await tinyRun('threads', { ...synchronous, place })
      same(t, await reference, run)
      t.deepEqual(run.summary.config, { ...(await reference).summary.config, place })
    },
  )

test.serial('with staleness, in processes and with replicas, an iteration is what it is in threads', async (t) => {
  const place = { sampler: 'process', judge: 'process' } as const
  const replicas = { sampler: { replicas: 2 }, judge: { replicas: 2 } } as const
  same(t, await tinyRun('threads', replicas), await tinyRun('threads', { ...replicas, place }))
})
