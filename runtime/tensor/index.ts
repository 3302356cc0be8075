export { type BackendProbe, probeBackend } from './backends/probe.js'
export { mayThreadsUse } from './backends/tensorflow-thread.js'
export {
  type Backend,
  backends,
  type Compiled,
  type CompileOptions,
  compile,
  type DeviceTensor,
  type HostDtype,
  type HostTensor,
  type KeptRun,
  type OutputArrays,
  type TensorFunction,
  type TensorInput,
  upload,
} from './compile.js'
export { type LogitsReader, type LossFunction, type Mean, meanOf } from './loss.js'
export { hostTensors, layoutOf, views } from './weight-layout.js'
export { createWeightStore, openWeightStore } from './weight-store.js'
export type { WeightEntry, WeightLayout, WeightStore, WeightStoreHandle } from './weights.js'
