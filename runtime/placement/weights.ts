import type { WeightStore, WeightStoreHandle } from '../tensor/weights.js'

/** Opens the troupe's shared weights, where it has some; the tensor code is loaded only then. */
export async function openWeights(handle: WeightStoreHandle | undefined): Promise<WeightStore | undefined> {
  if (!handle) return undefined
  const tensor = (await import('../tensor/index.js')) as {
    openWeightStore?: (handle: WeightStoreHandle) => WeightStore
  }
  return tensor.openWeightStore?.(handle)
}
