import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../time/clock.js'
import { toColumns } from './columns.js'
import type { Frame } from './protocol.js'

/** A two-way carrier of frames, in order unless it says otherwise. What arrives before `listen` waits. */
export interface Wire {
  /** Throws a DataCloneError when the frame holds what cannot be cloned. */
  post(frame: Frame, transfer?: readonly ArrayBuffer[]): void
  listen(handler: (raw: unknown) => void): void
  close(): void
  /** Frames may be lost, doubled or overtaken: what is not acknowledged in this time is posted again. */
  readonly repeatMs?: number | undefined
  /** Calls `handler` once when the other end has gone, closed there or with its place, behind everything it had posted. */
  readonly closed?: ((handler: () => void) => void) | undefined
}

/** Longest wait for what one that is gone for good had posted: its place may be stuck, and its wires open. */
const LAST_WORDS_MS = 10_000

/** Calls `work` once, when nothing more comes over a wire whose other end is gone for good. */
export function afterLastWords(wire: Wire | undefined, clock: Clock, work: () => void): void {
  if (!wire?.closed) return void work()
  let isOver = false
  const finish = () => {
    if (isOver) return
    isOver = true
    cancel()
    work()
  }
  const cancel = clock.after(LAST_WORDS_MS, finish, { weak: true })
  wire.closed(finish)
}

/** A wire over a `MessagePort`: straight from thread to thread. */
export function portWire(port: MessagePort): Wire {
  let isClosedHere = false
  let isGone = false
  let tell = () => {}
  port.once('close', () => {
    isGone = true
    if (!isClosedHere) tell()
  })
  return {
    post: (frame, transfer) => {
      if (transfer) port.postMessage(frame, transfer)
      else port.postMessage(frame.type === 'batch' ? (toColumns(frame) ?? frame) : frame)
    },
    listen: (handler) => void port.on('message', handler),
    close: () => {
      isClosedHere = true
      port.close()
    },
    closed: (handler) => {
      tell = handler
      if (isGone && !isClosedHere) queueMicrotask(handler)
    },
  }
}
