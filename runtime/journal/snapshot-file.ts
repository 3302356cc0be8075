import { crc32 } from 'node:zlib'
import { TroupeError } from '../kernel/errors.js'
import { deserialize, serialize } from './clone.js'

/**
 * A snapshot's file: 32 bytes of header, a structured clone, and the large arrays that belong to it. Numbers are
 * little-endian.
 *
 *     0  8  "troupeJ\n"
 *     8  4  format version
 *    12  4  CRC-32 of bytes 8–11 and of everything from byte 16
 *    16  8  length of all that follows the header
 *    24  8  length of the clone
 */
const MAGIC = Buffer.from('troupeJ\n')
const FORMAT = 1
const HEADER = 32
/** A file is read in one piece, and Node reads at most 2 GiB so. */
const MAX_BODY = 2 ** 31 - 2 ** 16

/** What says which run a journal belongs to, e.g. scenario and seed. */
export type RunIdentity = Readonly<Record<string, string | number>>

export interface Snapshot {
  readonly run: RunIdentity
  /** 1, 2, 3, … over the whole run, resumed or not. */
  readonly sequence: number
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  /** Length in bytes of each file of the run folder at that moment. */
  readonly marks: Readonly<Record<string, number>>
  readonly state: unknown
}

/** Copies everything: what is changed afterwards is not in the snapshot. `E_JOURNAL` for what cannot be cloned. */
export function encodeSnapshot(snapshot: Snapshot): readonly Uint8Array[] {
  let body: readonly Uint8Array[]
  try {
    const { clone, beside } = serialize(snapshot)
    body = [clone, ...beside]
  } catch (cause) {
    throw new TroupeError('E_JOURNAL', `the state of the run cannot be written down: ${messageOf(cause)}`, { cause })
  }
  const length = body.reduce((sum, part) => sum + part.length, 0)
  if (length > MAX_BODY)
    throw new TroupeError('E_JOURNAL', `a snapshot of ${length} bytes is more than the journal can hold`, {
      hint: 'The most is 2 GiB: choose a smaller model, or run without a journal',
    })
  const header = Buffer.alloc(HEADER)
  MAGIC.copy(header)
  header.writeUInt32LE(FORMAT, 8)
  header.writeBigUInt64LE(BigInt(length), 16)
  header.writeBigUInt64LE(BigInt(body[0]!.length), 24)
  header.writeUInt32LE(checksum(header, body), 12)
  return [header, ...body]
}

/** Thrown by {@link decodeSnapshot} for a file that cannot be used; the message completes "snapshot-1 …". */
export class Unusable extends Error {}

/** `Unusable` for torn or damaged bytes, `E_JOURNAL` for those of a newer Troupe. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (file.length < HEADER) throw new Unusable(`is cut short (${file.length} bytes)`)
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new Unusable('is damaged (it does not begin as it should)')
  const body = file.subarray(HEADER)
  if (checksum(file.subarray(0, HEADER), [body]) !== file.readUInt32LE(12)) {
    const length = file.readBigUInt64LE(16)
    const isShort = length > body.length
    throw new Unusable(
      isShort ? `is cut short (${body.length} of ${length} bytes)` : 'is damaged (its checksum is wrong)',
    )
  }
  const format = file.readUInt32LE(8)
  if (format > FORMAT)
    throw new TroupeError('E_JOURNAL', `the journal has format ${format}, and this Troupe knows ${FORMAT} at most`, {
      hint: 'Resume it with the version of Troupe that the run was made with',
    })
  try {
    const clone = Number(file.readBigUInt64LE(24))
    return checked(deserialize(body.subarray(0, clone), body.subarray(clone)))
  } catch (cause) {
    // The checksum holds, so these are the bytes that were written: another Node.js may write what this one cannot read.
    throw new Unusable(`cannot be read by Node.js ${process.version} (${messageOf(cause)})`, { cause })
  }
}

function checksum(header: Buffer, body: readonly Uint8Array[]): number {
  const start = crc32(header.subarray(16, HEADER), crc32(header.subarray(8, 12)))
  return body.reduce((sum, part) => crc32(part, sum), start)
}

function checked(value: unknown): Snapshot {
  const { run, sequence, at, marks } = (value ?? {}) as Partial<Snapshot>
  const isRecord = (part: unknown): part is object => typeof part === 'object' && part !== null
  const isSound =
    isRecord(run) &&
    Number.isSafeInteger(sequence) &&
    Number.isFinite(at) &&
    isRecord(marks) &&
    Object.values(marks).every((mark) => Number.isSafeInteger(mark) && mark >= 0)
  if (!isSound) throw new Error('it does not hold a snapshot')
  return value as Snapshot
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
