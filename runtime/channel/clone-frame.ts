import { clonePlain, NOT_PLAIN } from './plain.js'
import type { Frame } from './protocol.js'

/** A frame as it would arrive in another thread, its buffers moved. Throws a DataCloneError where it would not. */
export function cloneFrame(frame: Frame, transfer: readonly ArrayBuffer[] = []): Frame {
  if (transfer.length > 0) return structuredClone(frame, { transfer: [...transfer] })
  switch (frame.type) {
    case 'data': {
      const message = clonePlain(frame.message)
      return message === NOT_PLAIN ? structuredClone(frame) : { type: 'data', seq: frame.seq, message }
    }
    case 'batch': {
      const messages: unknown[] = []
      for (const message of frame.messages) {
        const copy = clonePlain(message)
        if (copy === NOT_PLAIN) return structuredClone(frame)
        messages.push(copy)
      }
      return { type: 'batch', seq: frame.seq, messages }
    }
    case 'error':
      return structuredClone(frame)
    default:
      return frame
  }
}
