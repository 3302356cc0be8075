import test from 'ava'
import { realClock } from '../../../runtime/index.js'

test('a deadline passes on what comes in time, and names what does not', async (t) => {
  t.is(await realClock.deadline(Promise.resolve(3), 10_000, 'adding'), 3)
  await t.throwsAsync(async () => realClock.deadline(Promise.reject(new RangeError('x')), 10_000, 'adding'), {
    instanceOf: RangeError,
  })
  await t.throwsAsync(async () => realClock.deadline(new Promise(() => {}), 1, 'waiting'), {
    code: 'E_DEADLINE',
    message: /waiting did not finish within 1 ms/,
  })
})

test('time does not run backwards, and sleep ends with its signal', async (t) => {
  const before = realClock.now()
  await realClock.sleep(1)
  t.true(realClock.now() > before)
  await t.throwsAsync(async () => realClock.sleep(1e6, AbortSignal.abort()), { name: 'AbortError' })
})
