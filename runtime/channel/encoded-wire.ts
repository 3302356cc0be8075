import type { Wire } from './wire.js'
import { decode, encode } from './wire-codec.js'

/** A value as it would arrive in another process; throws what its wire would throw. */
export function throughCodec<T>(value: T, transfer: readonly ArrayBuffer[] = []): T {
  return decode(encode(value, transfer)) as T
}

/** A wire in this process that refuses, copies and takes away what one between processes would. */
export function encodedWire(wire: Wire): Wire {
  const { closed } = wire
  return {
    post: (frame, transfer) => wire.post(throughCodec(frame, transfer)),
    listen: (handler) => wire.listen(handler),
    close: () => wire.close(),
    ...(wire.repeatMs === undefined ? {} : { repeatMs: wire.repeatMs }),
    ...(closed ? { closed: (handler: () => void) => closed.call(wire, handler) } : {}),
  }
}
