/*
 * A thread that is terminated in the middle of a native run takes the whole process with it. So every thread that hosts
 * an actor shares one word with whoever may end it: the number of native runs under way, and one bit that dooms it. Of a
 * doomed thread no native run begins; once none is under way it can be terminated.
 */
const DOOMED = 1 << 30
const RUNS = DOOMED - 1

interface WaitAsync {
  waitAsync(words: Int32Array, at: number, value: number): { value: Promise<string> | string }
}

let guard: Int32Array | undefined

export function createNativeGuard(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
}

/** Native runs under way, or about to begin. */
export function nativeRuns(buffer: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(buffer), 0) & RUNS
}

/** From now on native runs of this thread are counted in `buffer`; runs that are under way go with it. */
export function installNativeGuard(buffer: SharedArrayBuffer): void {
  const before = guard
  guard = new Int32Array(buffer)
  if (before) Atomics.add(guard, 0, Atomics.exchange(before, 0, 0) & RUNS)
}

/**
 * Runs native code, or what loads it. It must not be called within the work of another one. Once the thread is doomed it
 * never returns.
 */
export async function nativeRun<T>(work: () => Promise<T>): Promise<T> {
  if (!guard) return work()
  const before = Atomics.add(guard, 0, 1)
  if (before & DOOMED) await neverBegin(guard, before & RUNS)
  try {
    return await work()
  } finally {
    leave(guard) // the one that counts now
  }
}

/** Dooms a thread; resolves once it is out of native code. */
export async function doomThread(buffer: SharedArrayBuffer): Promise<void> {
  const words = new Int32Array(buffer)
  const { waitAsync } = Atomics as unknown as WaitAsync
  for (;;) {
    const word = Atomics.or(words, 0, DOOMED) | DOOMED
    if ((word & RUNS) === 0) return
    await waitAsync(words, 0, word).value
  }
}

function leave(words: Int32Array): void {
  Atomics.sub(words, 0, 1)
  Atomics.notify(words, 0)
}

/** Holds the thread for good, unless another run of it, which it would hold too, is under way. */
function neverBegin(words: Int32Array, others: number): Promise<never> {
  leave(words)
  if (others === 0) for (;;) Atomics.wait(words, 0, DOOMED)
  return new Promise(() => {})
}
