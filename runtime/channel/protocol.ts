import type { WireError } from '../kernel/errors.js'
import { fromColumns } from './columns.js'

/**
 * The channel protocol. One channel joins one sender with one receiver over one two-way wire. Every message has a number,
 * from 0 on; the last one is followed by `complete` or `error`, which has a number too.
 *
 *     sender                                       receiver
 *       |<------- grant(acked, upTo) -----------------|   when a wire is attached: from where on, and how far
 *       |--- data(seq) | batch(seq) | columns(seq) -->|   never a number of `upTo` or more
 *       |<------- grant(acked, upTo) -----------------|   when the receiver's actor has done what it took
 *       |------- complete(seq) | error(seq) --------->|   behind all of its data
 *       |------- lost(seq, count) ------------------->|   numbers that cannot be sent again: moved buffers
 *       |------- probe ------------------------------>|   on a wire that loses frames: what is granted?
 *       |<------- cancel -----------------------------|   it wants no more; what is under way is lost
 *
 * `acked` messages are done with: the sender forgets them. The window `upTo - acked` bounds what is in flight: on the
 * wire, in the receiver's queue and in work are together never more. Grants are totals, so a late, lost or doubled one
 * does no harm. A message whose number was seen before is dropped and counted, so everything unacknowledged may be sent
 * again at any time: after a loss, or when one of the two was restarted and has a new wire. A frame that is none of
 * these is dropped and counted.
 */
export type Frame = SenderFrame | ReceiverFrame

export type SenderFrame =
  | { readonly type: 'data'; readonly seq: number; readonly message: unknown }
  /** `seq` is the number of the first. */
  | { readonly type: 'batch'; readonly seq: number; readonly messages: readonly unknown[] }
  /** A batch of `count` messages that are flat and alike, laid out by their keys: read as the `batch` that it stands for. */
  | {
      readonly type: 'columns'
      readonly seq: number
      readonly count: number
      readonly keys: readonly string[]
      readonly columns: readonly (Float64Array | string)[]
    }
  | { readonly type: 'lost'; readonly seq: number; readonly count: number }
  | EndFrame
  | { readonly type: 'probe' }

export type EndFrame =
  | { readonly type: 'complete'; readonly seq: number }
  | { readonly type: 'error'; readonly seq: number; readonly error: WireError }

export type ReceiverFrame =
  | { readonly type: 'grant'; readonly acked: number; readonly upTo: number }
  | { readonly type: 'cancel' }

/** A grant is sent as soon as this share of the window has been done: outstanding credit is refilled at 75 %. */
const REFILL_SHARE = 0.25

/** How many messages a receiver does before it grants that many again. At least 1, so that no window can stall. */
export function refillAfter(window: number): number {
  return Math.max(1, Math.floor(window * REFILL_SHARE))
}

/** What a receiver makes of a raw value from the wire; undefined when it is no frame of a sender. */
export function readSenderFrame(raw: unknown): Exclude<SenderFrame, { type: 'columns' }> | undefined {
  if (!isObject(raw)) return undefined
  if (raw.type === 'probe') return { type: 'probe' }
  if (!isCount(raw.seq)) return undefined
  switch (raw.type) {
    case 'data':
      return 'message' in raw ? (raw as Extract<SenderFrame, { type: 'data' }>) : undefined
    case 'batch':
      return Array.isArray(raw.messages) && raw.messages.length > 0
        ? (raw as Extract<SenderFrame, { type: 'batch' }>)
        : undefined
    case 'columns':
      return isColumns(raw) ? fromColumns(raw) : undefined
    case 'lost':
      return isCount(raw.count) && raw.count > 0 ? (raw as Extract<SenderFrame, { type: 'lost' }>) : undefined
    case 'complete':
      return raw as Extract<SenderFrame, { type: 'complete' }>
    case 'error':
      return isObject(raw.error) && typeof raw.error.message === 'string'
        ? (raw as Extract<SenderFrame, { type: 'error' }>)
        : undefined
    default:
      return undefined
  }
}

/** What a sender makes of a raw value from the wire; undefined when it is no frame of a receiver. */
export function readReceiverFrame(raw: unknown): ReceiverFrame | undefined {
  if (!isObject(raw)) return undefined
  if (raw.type === 'cancel') return { type: 'cancel' }
  const valid = raw.type === 'grant' && isCount(raw.acked) && isCount(raw.upTo) && raw.acked <= raw.upTo
  return valid ? { type: 'grant', acked: raw.acked as number, upTo: raw.upTo as number } : undefined
}

function isColumns(raw: Record<string, unknown>): raw is Extract<SenderFrame, { type: 'columns' }> {
  const { count, keys, columns } = raw
  if (!isCount(count) || count === 0 || !Array.isArray(keys) || !Array.isArray(columns)) return false
  if (keys.length === 0 || keys.length !== columns.length) return false
  if (!keys.every((key) => typeof key === 'string' && key !== '__proto__')) return false
  return columns.every((column) => typeof column === 'string' || column instanceof Float64Array)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
