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

test('time does not run backwards', async (t) => {
  const before = realClock.now()
  await realClock.sleep(1)
  t.true(realClock.now() > before)
})

test('a timer runs once, or never where it was cancelled', async (t) => {
  const seen: string[] = []
  const cancel = realClock.after(1, () => seen.push('cancelled'))
  cancel()
  await new Promise<void>((resolve) => {
    realClock.after(2, () => {
      seen.push('ran')
      resolve()
    })
  })
  t.deepEqual(seen, ['ran'])
})

test('sleep rejects with the signal’s own reason', async (t) => {
  const reason = new RangeError('enough')
  const signal = new AbortController()
  const sleeping = realClock.sleep(1e6, signal.signal)
  signal.abort(reason)
  await t.throwsAsync(sleeping, { is: reason })
  await t.throwsAsync(realClock.sleep(1e6, AbortSignal.abort(reason)), { is: reason })
})
