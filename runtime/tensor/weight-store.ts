import { TroupeError } from '../kernel/errors.js'
import { realClock } from '../time/index.js'
import { checkLayout, checkLength } from './weight-layout.js'
import { allocate, attach, COUNT, SLOTS, sequenceAt, versionAt, type WeightMemory } from './weight-memory.js'
import type { WeightLayout, WeightStore, WeightStoreHandle } from './weights.js'

const NONE = -1
const MAX_VERSION = 2 ** 31 - 1
/** A copy is overtaken only when two whole publications pass during it; this many in a row means a broken store. */
const MAX_RETRIES = 1000

interface WaitAsync {
  waitAsync(words: Int32Array, at: number, value: number, timeoutMs: number): { value: Promise<string> | string }
}

/** Shared memory for the weights of one policy. Send `handle` to the threads that follow. `E_CONFIG` for a bad layout. */
export function createWeightStore(layout: WeightLayout): WeightStore {
  checkLayout(layout, 'E_CONFIG')
  return storeOver(allocate(layout), layout)
}

/** The same store in another thread. `E_MESSAGE` when the handle is not one. */
export function openWeightStore(handle: WeightStoreHandle): WeightStore {
  return storeOver(attach(handle), handle.layout)
}

function storeOver(memory: WeightMemory, layout: WeightLayout): WeightStore {
  const { header } = memory
  const slotOf = (count: number) => (count - 1) % SLOTS

  function version(): number {
    for (let attempt = 0; attempt < MAX_RETRIES; attempt++) {
      const count = Atomics.load(header, COUNT)
      if (count === 0) return NONE
      const found = Atomics.load(header, versionAt(slotOf(count)))
      if (Atomics.load(header, COUNT) === count) return found
    }
    throw overtaken()
  }

  function publish(next: number, flat: Float32Array): void {
    checkLength(flat, layout)
    const last = version()
    if (!Number.isInteger(next) || next <= last || next > MAX_VERSION)
      throw new TroupeError('E_INVARIANT', `version ${next} was published after version ${last}`)
    const count = Atomics.load(header, COUNT) + 1
    const slot = slotOf(count)
    // odd also when a publisher that was ended in the middle left it so; exchange, because it orders what comes after
    const writing = Atomics.load(header, sequenceAt(slot)) | 1
    Atomics.exchange(header, sequenceAt(slot), writing)
    ;(memory.slots[slot] as Float32Array).set(flat)
    Atomics.store(header, versionAt(slot), next)
    Atomics.store(header, sequenceAt(slot), (writing + 1) | 0)
    Atomics.store(header, COUNT, count)
    Atomics.notify(header, COUNT)
  }

  function follow(target: Float32Array): number {
    checkLength(target, layout)
    for (let attempt = 0; attempt < MAX_RETRIES; attempt++) {
      const count = Atomics.load(header, COUNT)
      if (count === 0) return NONE
      const slot = slotOf(count)
      const before = Atomics.load(header, sequenceAt(slot))
      if (before % 2 !== 0) continue
      target.set(memory.slots[slot] as Float32Array)
      const found = Atomics.load(header, versionAt(slot))
      // compareExchange, not load: it also orders the copy before it
      if (Atomics.compareExchange(header, sequenceAt(slot), before, before) === before) return found
    }
    throw overtaken()
  }

  async function atLeast(wanted: number, options: { deadlineMs: number; signal?: AbortSignal }): Promise<number> {
    const { deadlineMs, signal } = options
    signal?.throwIfAborted()
    const end = realClock.now() + deadlineMs
    let isOver = false
    const wake = () => Atomics.notify(header, COUNT)
    const waiting = async (): Promise<number> => {
      while (!isOver) {
        signal?.throwIfAborted()
        const count = Atomics.load(header, COUNT)
        const found = version()
        if (found >= wanted) return found
        const leftMs = Math.max(1, end - realClock.now())
        await (Atomics as unknown as WaitAsync).waitAsync(header, COUNT, count, leftMs).value
      }
      return NONE
    }
    signal?.addEventListener('abort', wake)
    try {
      return await realClock.deadline(waiting(), deadlineMs, `waiting for version ${wanted} of the weights`)
    } finally {
      isOver = true
      signal?.removeEventListener('abort', wake)
    }
  }

  return { handle: { buffer: memory.buffer, layout }, layout, version, publish, follow, atLeast }
}

function overtaken(): TroupeError {
  return new TroupeError('E_INVARIANT', `a copy of the weights was overtaken ${MAX_RETRIES} times in a row`, {
    hint: 'Weights are published far faster than they can be read: raise publishEvery',
  })
}
