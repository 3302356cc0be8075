import type { Backend, DeviceTensor, HostTensor, TensorInput } from '../runtime/tensor/compile.js'
import { upload } from '../runtime/tensor/index.js'
import { freeAll } from './resident-cache.js'

/** Backends whose device is the host: nothing is gained by keeping tensors there. */
export function isHostBackend(backend: Backend): boolean {
  return backend === 'onnx' || backend === 'cpu'
}

/** Weights as inputs of a graph, for as long as they are held. */
export interface HeldWeights {
  readonly inputs: readonly TensorInput[]
  release(): void
}

/** Where generation takes its weights from: those of `version`, or as they are now where it has no number. */
export type WeightSource = (version: number | undefined) => Promise<HeldWeights>

/** Weights that enter from the host with every call. */
export const hostWeights =
  (inputs: readonly HostTensor[]): WeightSource =>
  async () => ({ inputs, release() {} })

/** Copies of the weights on the device: one for each version, freed when a newer one has come and nobody holds it. */
export class ResidentWeights {
  readonly #backend: Backend
  readonly #host: readonly HostTensor[]
  #newest: { readonly version: number | undefined; readonly tensors: DeviceTensor[]; users: number } | undefined

  constructor(backend: Backend, host: readonly HostTensor[]) {
    this.#backend = backend
    this.#host = host
  }

  hold: WeightSource = async (version) => {
    let entry = this.#newest
    if (!entry || version === undefined || entry.version !== version) {
      entry = { version, tensors: await upload(this.#host, this.#backend), users: 0 }
      const last = this.#newest
      this.#newest = entry
      if (last?.users === 0) freeAll(last.tensors)
    }
    const held = entry
    held.users++
    return {
      inputs: held.tensors,
      release: () => {
        if (--held.users === 0 && held !== this.#newest) freeAll(held.tensors)
      },
    }
  }

  /** Frees what nobody holds. */
  dispose(): void {
    if (this.#newest?.users === 0) freeAll(this.#newest.tensors)
    this.#newest = undefined
  }
}
