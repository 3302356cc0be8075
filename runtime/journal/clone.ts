import v8 from 'node:v8'

/** Arrays from this size on are kept beside the clone: `v8.serialize` takes three times as long as copying them does. */
const LARGE_BYTES = 64 * 1024

type HostObjects = { _writeHostObject(view: ArrayBufferView): void; _readHostObject(): ArrayBufferView }
const writer = v8.DefaultSerializer.prototype as unknown as Pick<HostObjects, '_writeHostObject'>
const reader = v8.DefaultDeserializer.prototype as unknown as Pick<HostObjects, '_readHostObject'>

const [BESIDE, WITHIN] = [1, 0]

class CloneSerializer extends v8.DefaultSerializer {
  readonly beside: Uint8Array[] = []

  _writeHostObject(view: ArrayBufferView): void {
    const isBeside = view.byteLength >= LARGE_BYTES
    this.writeUint32(isBeside ? BESIDE : WITHIN)
    // A large array leaves its kind behind, as an empty one of that kind, and its length.
    writer._writeHostObject.call(this, isBeside ? viewOf(view, new ArrayBuffer(0)) : view)
    if (!isBeside) return
    this.writeUint64(Math.floor(view.byteLength / 2 ** 32), view.byteLength % 2 ** 32)
    this.beside.push(bytesOf(view).slice())
  }
}

class CloneDeserializer extends v8.DefaultDeserializer {
  #beside: Uint8Array

  constructor(clone: Uint8Array, beside: Uint8Array) {
    super(clone)
    this.#beside = bytesOf(beside) // the slice of a Buffer would be no copy
  }

  /** Every array owns its memory: a view into the file would drag the whole file along. */
  _readHostObject(): ArrayBufferView {
    const isBeside = this.readUint32() === BESIDE
    const view = reader._readHostObject.call(this)
    if (!isBeside) return viewOf(view, bytesOf(view).slice().buffer)
    const [high, low] = this.readUint64()
    const length = high! * 2 ** 32 + low!
    const bytes = this.#beside.slice(0, length)
    if (bytes.length < length) throw new Error('an array is missing')
    this.#beside = this.#beside.subarray(length)
    return viewOf(view, bytes.buffer)
  }
}

/**
 * A structured clone as bytes: the clone itself, then large arrays, one after another. All is copied. Throws what
 * `v8.serialize` does.
 */
export function serialize(value: unknown): { readonly clone: Uint8Array; readonly beside: readonly Uint8Array[] } {
  const serializer = new CloneSerializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return { clone: serializer.releaseBuffer(), beside: serializer.beside }
}

/** What {@link serialize} made: the clone, and the arrays beside it in one piece. Nothing in it can run code. */
export function deserialize(clone: Uint8Array, beside: Uint8Array): unknown {
  const deserializer = new CloneDeserializer(clone, beside)
  deserializer.readHeader()
  return deserializer.readValue()
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

/** A view of the same kind over all of another memory. */
function viewOf(view: ArrayBufferView, memory: ArrayBufferLike): ArrayBufferView {
  if (Buffer.isBuffer(view)) return Buffer.from(memory)
  return new (view.constructor as Uint8ArrayConstructor)(memory)
}
