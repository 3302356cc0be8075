import test from 'ava'
import { realScheduler } from '../../../runtime/time/scheduler.js'

test('a hop runs after the reactions of what came before, in order', async (t) => {
  const seen: string[] = []
  await new Promise<void>((resolve) => {
    realScheduler.hop(() => {
      void Promise.resolve()
        .then(() => {})
        .then(() => seen.push('reaction'))
    })
    realScheduler.hop(() => seen.push('second'))
    realScheduler.hop(resolve)
  })
  t.deepEqual(seen, ['reaction', 'second'])
})
