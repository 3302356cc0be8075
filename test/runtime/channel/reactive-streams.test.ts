import test from 'ava'
import fc from 'fast-check'
import { InlineBus } from '../../../runtime/channel/index.js'
import { realScheduler } from '../../../runtime/index.js'
import { anOutput, join, settled, takeOne } from './joined.js'

/*
 * The rules of Reactive Streams (the numbers are those of its specification), of one or two senders and one receiver, over
 * whatever order of sending, taking, ending, failing and unsubscribing.
 */
type Step = 'send' | 'take' | 'complete' | 'fail' | 'unsubscribe' | 'wait'

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Step>('send', 'take', 'wait') },
    { weight: 1, arbitrary: fc.constantFrom<Step>('complete', 'fail', 'unsubscribe') },
  ),
  { maxLength: 40 },
)

interface Observed {
  readonly signals: string[]
  readonly isSerial: boolean
  readonly heard: readonly string[]
  readonly sent: number
  readonly frames: readonly { readonly type: string }[]
  readonly mostWaiting: number
  readonly unsubscribedAt: number | undefined
}

async function play(script: readonly Step[], senders: number, window: number): Promise<Observed> {
  const { outputs, inputs, frames, heard } = join({ senders, window })
  const input = inputs[0]!
  const signals: string[] = []
  let inside = 0
  let isSerial = true
  let sent = 0
  const signal = (what: string) => {
    isSerial &&= ++inside === 1
    signals.push(what)
    // what is sent within a signal must not come within it
    if (sent % 3 === 1 && !outputs[0]!.ended) outputs[0]!.emit(sent++)
    inside--
  }
  const subscription = input.stream.subscribe({
    next: (value) => signal(`next ${value}`),
    error: (error: Error) => signal(`error ${error.message}`),
    complete: () => signal('complete'),
  })
  let mostWaiting = 0
  let unsubscribedAt: number | undefined
  await settled()
  for (const [i, step] of [...script, 'wait', 'wait'].entries()) {
    const output = outputs[i % senders]!
    if (step === 'send' && !output.ended) output.emit(sent++)
    if (step === 'take' && input.waiting) takeOne(input)
    if (step === 'complete' && !output.ended) output.complete()
    if (step === 'fail' && !output.ended) output.fail(new Error(`of ${i % senders}`))
    if (step === 'unsubscribe') {
      unsubscribedAt ??= signals.length
      // 3.7: a second cancel does nothing
      subscription.unsubscribe()
      input.cancel()
      input.cancel()
    }
    if (step === 'wait') await settled()
    mostWaiting = Math.max(mostWaiting, input.depth)
  }
  for (let round = 0; round < 60; round++) {
    if (input.waiting) takeOne(input)
    await settled()
  }
  return { signals, isSerial, heard, sent, frames, mostWaiting, unsubscribedAt }
}

const scripts = fc.tuple(steps, fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 5 }))
const holds = (law: (observed: Observed, window: number, senders: number) => boolean) =>
  fc.assert(
    fc.asyncProperty(scripts, async ([script, senders, window]) =>
      law(await play(script, senders, window), window, senders),
    ),
    { numRuns: 60, seed: 11 },
  )

test('1.1: no more is under way than was asked for', async (t) => {
  await holds(
    ({ mostWaiting, heard }, window, senders) => mostWaiting <= window * senders && !heard.includes('E_CHANNEL'),
  )
  t.pass()
})

test('1.3: signals are serial', async (t) => {
  await holds(({ isSerial }) => isSerial)
  t.pass()
})

test('1.7: behind a terminal signal comes nothing', async (t) => {
  await holds(({ signals }) => {
    const end = signals.findIndex((signal) => !signal.startsWith('next'))
    return end === -1 || end === signals.length - 1
  })
  t.pass()
})

test('1.8 and 3.12: one who has unsubscribed hears nothing more, and all senders are cancelled', async (t) => {
  await holds(({ signals, unsubscribedAt, frames }, _, senders) => {
    if (unsubscribedAt === undefined) return true
    const cancels = frames.filter(({ type }) => type === 'cancel').length
    return signals.length === unsubscribedAt && cancels <= senders
  })
  t.pass()
})

test('what was sent before the end arrives, in order, or the end says that it failed', async (t) => {
  await holds(({ signals, unsubscribedAt, sent }) => {
    const got = signals.filter((signal) => signal.startsWith('next')).map((signal) => Number(signal.slice(5)))
    const isWhole = got.length === sent || unsubscribedAt !== undefined || signals.at(-1)?.startsWith('error') === true
    return isWhole && new Set(got).size === got.length
  })
  t.pass()
})

test('3.9: what is no request is dropped and counted, and asks for nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.integer({ max: -1 }), fc.double({ min: 0.1, max: 0.9 }), fc.constant(Number.NaN), fc.string()),
      async (upTo) => {
        const [near, far] = new InlineBus(realScheduler).pair()
        let malformed = 0
        const nothing = () => {}
        const output = anOutput({
          ...{ credit: nothing, cancelled: nothing, failed: nothing, dropped: nothing },
          malformed: () => malformed++,
        })
        output.connect([{ channel: 0, keep: false, wire: near }], { overflow: 'block', window: 1 })
        far.post({ type: 'grant', acked: 0, upTo } as never)
        await settled()
        return malformed === 1 && !output.ready
      },
    ),
    { numRuns: 40, seed: 3 },
  )
  t.pass()
})
