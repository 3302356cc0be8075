import { InlineBus, InputPort, OutputPort, type Overflow, type Wire } from '../../../runtime/channel/index.js'
import type { Frame } from '../../../runtime/channel/protocol.js'
import { port, realClock, realScheduler } from '../../../runtime/index.js'

/** All frames posted so far have arrived. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

function watched(wire: Wire, frames: Frame[]): Wire {
  return {
    post: (frame, transfer) => {
      frames.push(structuredClone(frame))
      wire.post(frame, transfer)
    },
    listen: (handler) => wire.listen(handler),
    close: () => wire.close(),
  }
}

const clock = realClock
const scheduler = realScheduler
type InputEvents = ConstructorParameters<typeof InputPort>[1]['events']
type OutputEvents = ConstructorParameters<typeof OutputPort>[1]['events']

export function anInput(
  channels: ConstructorParameters<typeof InputPort>[1]['channels'],
  events: Partial<InputEvents> = {},
) {
  const silent = { changed() {}, ended() {}, inbound() {}, malformed() {}, taking() {}, aside() {}, violated() {} }
  return new InputPort('i', { channels, where: 'b', clock, scheduler, events: { ...silent, ...events } })
}

export const anOutput = (events: OutputEvents) =>
  new OutputPort('o', { port: port(), where: 'a', clock, held: false, events })

/** Outputs and inputs joined by inline wires, with everything that happens written down. */
export function join(options: {
  senders?: number
  receivers?: number
  window?: number
  overflow?: Overflow
  outlived?: boolean
}) {
  const { senders = 1, receivers = 1, window = 4, overflow = 'block', outlived = false } = options
  const bus = new InlineBus(realScheduler)
  const frames: Frame[] = []
  const heard: string[] = []
  const events = {
    credit: () => {},
    cancelled: () => void heard.push('cancelled'),
    malformed: () => void heard.push('malformed'),
    failed: (error: Error) => void heard.push(error.message),
    dropped: (message: unknown) => void heard.push(`dropped ${message}`),
  }
  const outputs = Array.from({ length: senders }, () => anOutput(events))
  const wires: Wire[][] = Array.from({ length: receivers }, () => [])
  for (const output of outputs) {
    output.connect(
      wires.map((ends, channel) => {
        const [near, far] = bus.pair()
        ends.push(far)
        return { channel, keep: false, outlived, wire: watched(near, frames) }
      }),
      { overflow, window },
    )
  }
  const inputs = wires.map((ends, i) => {
    const input = anInput(
      ends.map((wire, channel) => ({ channel, wire: watched(wire, frames), window })),
      {
        changed: () => {},
        ended: () => void heard.push(`ended ${i}`),
        inbound: () => {},
        malformed: () => void heard.push('malformed'),
        violated: (error) => void heard.push(error.code),
      },
    )
    input.open()
    return input
  })
  return { outputs, inputs, frames, heard }
}

export function listen(input: InputPort): { got: unknown[]; end: string[]; stop: () => void } {
  const got: unknown[] = []
  const end: string[] = []
  const subscription = input.stream.subscribe({
    next: (message) => void got.push(message),
    error: (error: Error) => void end.push(`error: ${error.message}`),
    complete: () => void end.push('complete'),
  })
  return { got, end, stop: () => subscription.unsubscribe() }
}

/** Takes what waits, and has done it. */
export function takeAll(input: InputPort): void {
  while (input.waiting) takeOne(input)
}

export function takeOne(input: InputPort): void {
  input.take()
  input.done()
  input.tell()
}
