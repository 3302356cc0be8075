import { types } from 'node:util'
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { TroupeError } from '../kernel/errors.js'

/*
 * The structured clone as bytes. Node's own codec writes typed arrays by their bytes alone; ours differs in three ways:
 * a large one is left out of the body and sent from (and received into) memory of its own, an array that arrives never
 * shares its buffer with another value, and shared memory is refused by name.
 */

/** A typed array of at least this many bytes is not copied into the body. */
const APART = 32 * 1024
const MAX_SEGMENTS = 4096
const INLINE = 0
const SEGMENT = 1

type View = ArrayBufferView<ArrayBufferLike>
type ViewOf = new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView
const CONSTRUCTORS: readonly ViewOf[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  DataView,
  BigInt64Array,
  BigUint64Array,
] as readonly ViewOf[]

/** A value in bytes: the body, and what was left out of it. */
export interface Encoded {
  readonly body: Uint8Array
  readonly segments: readonly Uint8Array[]
}

/** What the class of the standard library does not say of itself. */
interface HostObjects {
  _writeHostObject(view: View): void
  _readHostObject(): ArrayBufferView
  _getSharedArrayBufferId(): never
  _getDataCloneError(message: string): Error
  _readRawBytes(length: number): number
  readonly buffer: Buffer
}

/**
 * Encodes what a structured clone can carry; throws a DataCloneError where it cannot, and `E_MESSAGE` for shared memory.
 * Buffers in `transfer` are taken away from the caller, as a port would; without `apart`, everything is in the body.
 */
export function encode(value: unknown, transfer: readonly ArrayBuffer[] = [], apart = true): Encoded {
  const serializer = new Serializer(apart)
  serializer.writeHeader()
  serializer.writeValue(value)
  const body = serializer.releaseBuffer()
  const moved = new Map(take(transfer).map((buffer, i) => [transfer[i] as ArrayBufferLike, buffer]))
  const segments = serializer.apart.map(({ buffer, byteOffset, byteLength }) => {
    const own = moved.get(buffer)
    // what is not given up may change before it is written
    return own ? new Uint8Array(own, byteOffset, byteLength) : new Uint8Array(buffer, byteOffset, byteLength).slice()
  })
  return { body, segments }
}

/** The value; throws when these are no bytes of {@link encode}. */
export function decode({ body, segments }: Encoded): unknown {
  const deserializer = new Deserializer(body, segments)
  deserializer.readHeader()
  return deserializer.readValue()
}

function take(buffers: readonly ArrayBuffer[]): ArrayBuffer[] {
  return buffers.length === 0 ? [] : structuredClone([...buffers], { transfer: [...buffers] })
}

class Serializer extends DefaultSerializer {
  /** Where the arrays that were left out lie: what is moved away meanwhile does not say so any more. */
  readonly apart: { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly byteLength: number }[] = []
  readonly #mayLeaveOut: boolean

  constructor(mayLeaveOut: boolean) {
    super()
    this.#mayLeaveOut = mayLeaveOut
  }

  _writeHostObject(view: View): void {
    if (types.isSharedArrayBuffer(view.buffer)) refuseShared()
    const type = CONSTRUCTORS.findIndex((kind) => view instanceof kind)
    this.writeUint32(type)
    if (this.#mayLeaveOut && view.byteLength >= APART && this.apart.length < MAX_SEGMENTS) {
      this.writeUint32(SEGMENT)
      this.writeUint32(this.apart.length)
      this.apart.push({ buffer: view.buffer, byteOffset: view.byteOffset, byteLength: view.byteLength })
      return
    }
    this.writeUint32(INLINE)
    this.writeUint32(view.byteLength)
    this.writeRawBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  }

  _getSharedArrayBufferId(): never {
    refuseShared()
  }

  _getDataCloneError(message: string): Error {
    return new DOMException(message, 'DataCloneError')
  }
}

class Deserializer extends DefaultDeserializer {
  readonly #segments: readonly Uint8Array[]

  constructor(body: Uint8Array, segments: readonly Uint8Array[]) {
    super(body)
    this.#segments = segments
  }

  _readHostObject(): ArrayBufferView {
    const kind = CONSTRUCTORS[this.readUint32()]
    if (!kind) throw new RangeError('no such typed array')
    const buffer = this.readUint32() === SEGMENT ? this.#segment(this.readUint32()) : this.#inline(this.readUint32())
    return new kind(buffer)
  }

  #segment(index: number): ArrayBuffer {
    const segment = this.#segments[index]
    if (!segment) throw new RangeError('a part of the message is missing')
    return tight(segment)
  }

  #inline(length: number): ArrayBuffer {
    const { buffer, _readRawBytes } = this as unknown as HostObjects
    const at = _readRawBytes.call(this, length)
    const start = buffer.byteOffset + at
    return (buffer.buffer as ArrayBuffer).slice(start, start + length)
  }
}

function tight({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  if (byteOffset === 0 && byteLength === buffer.byteLength) return buffer as ArrayBuffer
  return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength)
}

function refuseShared(): never {
  throw new TroupeError('E_MESSAGE', 'shared memory (a SharedArrayBuffer) cannot cross to another process', {
    hint: 'Send a copy: a typed array of its own memory',
  })
}
