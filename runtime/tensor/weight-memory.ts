import { TroupeError } from '../kernel/errors.js'
import { checkLayout } from './weight-layout.js'
import type { WeightLayout, WeightStoreHandle } from './weights.js'

/*
 * The shared block: 64 bytes of Int32 header, then 64 bytes for each slot's state, then the slots of float32 data, each
 * on a 64-byte boundary. Publication n (from 1) lies in slot (n − 1) mod SLOTS, so a reader has two whole publications'
 * time before the slot that it copies from is written again.
 */
const MAGIC = 0x54_52_57_53
const FORMAT = 1
const ALIGNMENT = 64
const WORDS = ALIGNMENT / Int32Array.BYTES_PER_ELEMENT

export const SLOTS = 3
/** Header words. `count`: publications so far; waiters wait on it. */
const AT = { magic: 0, format: 1, slots: 2, total: 3, count: 4 }
export const COUNT = AT.count

export interface WeightMemory {
  readonly buffer: SharedArrayBuffer
  readonly header: Int32Array
  readonly slots: readonly Float32Array[]
}

/** Index of a slot's sequence number: odd while it is being written. */
export const sequenceAt = (slot: number) => WORDS * (slot + 1)
/** Index of the version that a slot holds. */
export const versionAt = (slot: number) => sequenceAt(slot) + 1

export function allocate(layout: WeightLayout): WeightMemory {
  const memory = map(new SharedArrayBuffer(byteLength(layout.total)), layout.total)
  const { header } = memory
  header[AT.magic] = MAGIC
  header[AT.format] = FORMAT
  header[AT.slots] = SLOTS
  header[AT.total] = layout.total
  return memory
}

/** Maps memory that another thread allocated; `E_MESSAGE` when it is not such memory or does not fit the layout. */
export function attach(handle: WeightStoreHandle): WeightMemory {
  const { buffer, layout } = handle ?? {}
  if (!(buffer instanceof SharedArrayBuffer)) throw garbled('it has no shared memory')
  checkLayout(layout, 'E_MESSAGE')
  if (buffer.byteLength !== byteLength(layout.total)) throw garbled('its memory is not as long as its layout needs')
  const memory = map(buffer, layout.total)
  const { header } = memory
  if (header[AT.magic] !== MAGIC || header[AT.format] !== FORMAT)
    throw garbled('its memory was not made by this version')
  if (header[AT.slots] !== SLOTS || header[AT.total] !== layout.total) throw garbled('its memory has another layout')
  return memory
}

function garbled(why: string): TroupeError {
  return new TroupeError('E_MESSAGE', `this is no weight store: ${why}`)
}

function map(buffer: SharedArrayBuffer, total: number): WeightMemory {
  const header = new Int32Array(buffer, 0, WORDS * (SLOTS + 1))
  const slot = (i: number) => new Float32Array(buffer, ALIGNMENT * (SLOTS + 1) + i * slotBytes(total), total)
  return { buffer, header, slots: Array.from({ length: SLOTS }, (_, i) => slot(i)) }
}

function slotBytes(total: number): number {
  return Math.ceil((total * Float32Array.BYTES_PER_ELEMENT) / ALIGNMENT) * ALIGNMENT
}

function byteLength(total: number): number {
  return ALIGNMENT * (SLOTS + 1) + SLOTS * slotBytes(total)
}
