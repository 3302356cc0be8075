import type { MessagePort } from 'node:worker_threads'
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
  /** Calls `handler` once when the other end has gone: closed there, or its thread or process ended. */
  readonly closed?: ((handler: () => void) => void) | undefined
}

/** A wire over a `MessagePort`: straight from thread to thread. */
export function portWire(port: MessagePort): Wire {
  let isClosedHere = false
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
    closed: (handler) => void port.once('close', () => isClosedHere || handler()),
  }
}
