import type { Socket } from 'node:net'
import { FrameReader, frameHead } from './framing.js'
import type { Frame } from './protocol.js'
import type { Wire } from './wire.js'
import { decode, type Encoded, encode } from './wire-codec.js'

/** Pieces of at least this many bytes are handed to the socket as they are; smaller ones are put together. */
const WHOLE = 16 * 1024

/**
 * A wire over a unix-domain socket: straight from process to process. It may be used before its socket is there. All
 * frames of one tick are written at once. Typed arrays arrive as tight copies; a frame that cannot be decoded arrives
 * as `undefined`; bytes that are no frames end the wire.
 */
export class SocketWire implements Wire {
  readonly #reader = new FrameReader((frame) => this.#receive(frame))
  readonly #ended: () => void
  #socket: Socket | undefined
  #outgoing: Uint8Array[] = []
  #isFlushDue = false
  #handler: ((raw: unknown) => void) | undefined
  #early: unknown[] = []
  #onClosed: (() => void) | undefined
  #isClosedHere = false
  #isGone = false

  /** `ended` is called once the wire holds no socket any more. */
  constructor(ended: () => void) {
    this.#ended = ended
  }

  /** Gives the wire its socket, and the bytes that were read from it already. */
  attach(socket: Socket, head: Buffer = Buffer.alloc(0)): void {
    this.#socket = socket
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => this.#gone())
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#read(head)
    socket.resume()
    if (socket.destroyed) this.#gone()
    else if (this.#isClosedHere) this.#finish()
    else this.#flush()
  }

  post(frame: Frame, transfer?: readonly ArrayBuffer[]): void {
    const encoded = encode(frame, transfer)
    const head = frameHead(encoded)
    if (this.#isClosedHere || this.#isGone) return
    this.#outgoing.push(head, encoded.body, ...encoded.segments)
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    process.nextTick(() => this.#flush())
  }

  listen(handler: (raw: unknown) => void): void {
    this.#handler = handler
    const early = this.#early
    this.#early = []
    for (const raw of early) handler(raw)
  }

  closed(handler: () => void): void {
    this.#onClosed = handler
    if (this.#isGone && !this.#isClosedHere) process.nextTick(handler)
  }

  /** Everything that was posted before still leaves. */
  close(): void {
    if (this.#isClosedHere) return
    this.#isClosedHere = true
    this.#early = []
    if (this.#socket) this.#finish()
  }

  /** Ends the wire as if its peer had gone. */
  drop(): void {
    this.#outgoing = []
    if (this.#socket) this.#socket.destroy()
    else this.#gone()
  }

  #finish(): void {
    this.#flush()
    // the rest of what the peer sends is of no interest, so there is nothing to wait for once ours is written
    this.#socket?.end(() => this.#socket?.destroy())
  }

  #flush(): void {
    this.#isFlushDue = false
    const socket = this.#socket
    const pieces = this.#outgoing
    if (!socket || pieces.length === 0) return
    this.#outgoing = []
    socket.cork()
    let small: Uint8Array[] = []
    for (const piece of pieces) {
      if (piece.byteLength < WHOLE) {
        small.push(piece)
        continue
      }
      if (small.length > 0) socket.write(Buffer.concat(small))
      small = []
      socket.write(piece)
    }
    if (small.length > 0) socket.write(Buffer.concat(small))
    socket.uncork()
  }

  #read(chunk: Buffer): void {
    if (this.#isClosedHere || this.#reader.push(chunk)) return
    this.#socket?.destroy()
  }

  #receive(frame: Encoded): void {
    if (this.#isClosedHere) return
    const raw = decodeOrNothing(frame)
    if (this.#handler) this.#handler(raw)
    else this.#early.push(raw)
  }

  #gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#outgoing = []
    this.#ended()
    if (!this.#isClosedHere) this.#onClosed?.()
  }
}

/** Whoever reads the wire counts `undefined` as a malformed frame. */
function decodeOrNothing(frame: Encoded): unknown {
  try {
    return decode(frame)
  } catch {
    return undefined
  }
}
