import type { WireError } from '../kernel/errors.js'

/**
 * The channel protocol. One channel joins one sender with one receiver over one two-way, ordered wire.
 *
 *     sender                          receiver
 *       |<------- grant(window) --------|   when wired
 *       |------- data | batch --------->|   never more messages than were granted
 *       |<------- grant(n) -------------|   when n messages have left the receiver's queue for its actor
 *       |------- complete | error ----->|   last frame of the sender, behind all of its data
 *       |<------- cancel ---------------|   last frame of the receiver: it wants no more; what is under way is lost
 *
 * The window bounds what is in flight: granted credit, messages on the wire and messages in the receiver's queue are
 * together never more than the window. A frame that is none of these is dropped and counted.
 */
export type Frame = SenderFrame | ReceiverFrame

export type SenderFrame =
  | { readonly type: 'data'; readonly message: unknown }
  | { readonly type: 'batch'; readonly messages: readonly unknown[] }
  | { readonly type: 'complete' }
  | { readonly type: 'error'; readonly error: WireError }

export type ReceiverFrame = { readonly type: 'grant'; readonly credits: number } | { readonly type: 'cancel' }

/** Credits go back as soon as this share of the window has been taken: outstanding credit is refilled at 75 %. */
const REFILL_SHARE = 0.25

/** How many messages a receiver takes before it grants that many again. At least 1, so that no window can stall. */
export function refillAfter(window: number): number {
  return Math.max(1, Math.floor(window * REFILL_SHARE))
}

/** What a receiver makes of a raw value from the wire; undefined when it is no frame of a sender. */
export function readSenderFrame(raw: unknown): SenderFrame | undefined {
  if (!isObject(raw)) return undefined
  switch (raw.type) {
    case 'data':
      return 'message' in raw ? (raw as unknown as SenderFrame) : undefined
    case 'batch':
      return Array.isArray(raw.messages) ? (raw as unknown as SenderFrame) : undefined
    case 'complete':
      return raw as unknown as SenderFrame
    case 'error':
      return isObject(raw.error) && typeof raw.error.message === 'string' ? (raw as unknown as SenderFrame) : undefined
    default:
      return undefined
  }
}

/** What a sender makes of a raw value from the wire; undefined when it is no frame of a receiver. */
export function readReceiverFrame(raw: unknown): ReceiverFrame | undefined {
  if (!isObject(raw)) return undefined
  if (raw.type === 'cancel') return { type: 'cancel' }
  const credits = raw.credits
  const valid = raw.type === 'grant' && typeof credits === 'number' && Number.isInteger(credits) && credits > 0
  return valid ? { type: 'grant', credits } : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
