import { TroupeError } from '../kernel/errors.js'
import type { Encoded } from './wire-codec.js'

/*
 * A frame on a stream of bytes: one 32-bit word with a mark and the number of segments, the length of the body, the
 * lengths of the segments, then the bytes of all of them. Little-endian.
 */
const WORD = 4
const MARK = 0x54
const MARK_SHIFT = 24
const MAX_SEGMENTS = 4096
/** Bytes of one frame. */
const MAX_FRAME = 2 ** 30

/** What stands before the bytes of a frame; `E_MESSAGE` when they are too many. */
export function frameHead({ body, segments }: Encoded, limit = MAX_FRAME): Buffer {
  const total = segments.reduce((sum, { byteLength }) => sum + byteLength, body.byteLength)
  if (total > limit) {
    throw new TroupeError('E_MESSAGE', `a message of ${total} bytes is too long for a process's wire`, {
      hint: `Send it in parts of at most ${limit} bytes`,
    })
  }
  const head = Buffer.allocUnsafe(WORD * (2 + segments.length))
  head.writeUInt32LE(((MARK << MARK_SHIFT) | segments.length) >>> 0, 0)
  head.writeUInt32LE(body.byteLength, WORD)
  segments.forEach(({ byteLength }, i) => {
    head.writeUInt32LE(byteLength, WORD * (2 + i))
  })
  return head
}

/** Puts frames together from chunks of bytes. */
export class FrameReader {
  readonly #onFrame: (frame: Encoded) => void
  readonly #limit: number
  /** Where the next bytes go, and how many of it are there. */
  #target: Buffer = Buffer.allocUnsafe(WORD)
  #filled = 0
  #state: 'word' | 'lengths' | 'bytes' = 'word'
  #lengths: number[] = []
  #parts: Buffer[] = []

  constructor(onFrame: (frame: Encoded) => void, limit = MAX_FRAME) {
    this.#onFrame = onFrame
    this.#limit = limit
  }

  /** False when the bytes are no frames: nothing that follows can be read. */
  push(chunk: Buffer): boolean {
    let at = 0
    for (;;) {
      const taken = chunk.copy(this.#target, this.#filled, at)
      this.#filled += taken
      at += taken
      if (this.#filled < this.#target.length) return true
      if (!this.#advance()) return false
    }
  }

  #advance(): boolean {
    const done = this.#target
    switch (this.#state) {
      case 'word': {
        const word = done.readUInt32LE(0)
        const segments = word & ((1 << MARK_SHIFT) - 1)
        if (word >>> MARK_SHIFT !== MARK || segments > MAX_SEGMENTS) return false
        this.#expect('lengths', Buffer.allocUnsafe(WORD * (1 + segments)))
        return true
      }
      case 'lengths': {
        this.#lengths = Array.from({ length: done.length / WORD }, (_, i) => done.readUInt32LE(i * WORD))
        if (this.#lengths.reduce((sum, length) => sum + length, 0) > this.#limit) return false
        this.#expect('bytes', Buffer.allocUnsafe(this.#lengths[0] ?? 0))
        return true
      }
      case 'bytes': {
        this.#parts.push(done)
        const next = this.#lengths[this.#parts.length]
        if (next !== undefined) {
          // memory of its own, because a typed array that arrives takes it over
          this.#expect('bytes', Buffer.allocUnsafeSlow(next))
          return true
        }
        const [body, ...segments] = this.#parts as [Buffer, ...Buffer[]]
        this.#parts = []
        this.#expect('word', Buffer.allocUnsafe(WORD))
        this.#onFrame({ body, segments })
        return true
      }
    }
  }

  #expect(state: 'word' | 'lengths' | 'bytes', target: Buffer): void {
    this.#state = state
    this.#target = target
    this.#filled = 0
  }
}
