/**
 * What TensorFlow.js keeps of itself in the global object of a thread, whatever copy of it was loaded. Its own `memory()`
 * asks a backend, too, and throws where none is registered yet.
 */
interface LoadedEngine {
  readonly _tfengine?: { readonly state?: { readonly numBytes?: number } }
}

/** Bytes of the tensors that TensorFlow.js holds in this thread; 0 where it has not been loaded, and it is not loaded by asking. */
export function tensorBytes(): number {
  return (globalThis as LoadedEngine)._tfengine?.state?.numBytes ?? 0
}
