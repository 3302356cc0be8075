/** What the comparisons of messages send, on both sides. */
export interface Small {
  readonly id: number
  readonly text: string
  readonly value: number
}

export const small = (id: number): Small => ({ id, text: 'a few words of text', value: id / 2 })

export const MEGABYTES = 4

/** Buffers that go to and fro between two threads. */
export const JUGGLED = 8

/** 4 MiB that carry their number. */
export function large(id: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array((MEGABYTES * 2 ** 20) / 4)
  data[0] = id
  return data
}

/** Fails the comparison when a side lost, doubled or mixed up what it carried. */
export function expect(id: number, expected: number): void {
  if (id !== expected) throw new Error(`expected item ${expected}, got ${id}`)
}
