import * as tf from '@tensorflow/tfjs-core'
import { TroupeError } from '../../kernel/errors.js'
import { callerLine } from '../stack.js'
import { compileEagerly, type EagerDevice } from './eager.js'
import { installed, load, quietly } from './packages.js'
import { type Device, findAdapter, type Gpu } from './webgpu-driver.js'
import { completeKernels } from './webgpu-kernels.js'

interface Package {
  readonly WebGPUBackend: new (device: Device, info: object) => tf.KernelBackend
}

/** Above the defaults of WebGPU, which are those of a small telephone. */
const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
]
/** What TF.js's code looks for in the global scope, as in a browser. */
const GLOBALS = ['GPUBufferUsage', 'GPUMapMode', 'GPUTextureUsage', 'GPUBuffer', 'GPUTexture', 'GPUExternalTexture']

let opening: Promise<ReturnType<typeof compileEagerly>> | undefined

/** TF.js's WebGPU kernels on Dawn, opened once in a thread. Throws `E_BACKEND` as `findAdapter` does. */
export function openWebgpu() {
  opening ??= open()
  return opening
}

async function open() {
  const name = '@tensorflow/tfjs-backend-webgpu'
  const located = installed('webgpu', name)
  const { gpu, adapter, globals } = await findAdapter()
  const library = await quietly(() => load<Package>(located, `npm install --force ${name}`))
  const limits = LIMITS.map((limit) => [limit, adapter.limits[limit]])
  const device = await adapter.requestDevice({ requiredLimits: Object.fromEntries(limits) })
  for (const key of GLOBALS)
    if (!(key in globalThis)) Object.defineProperty(globalThis, key, { value: globals[key], configurable: true })
  const backend = withGpu(gpu, () => new (readable(library.WebGPUBackend))(device, adapter.info))
  // below every other backend, so that TF.js never chooses it by itself
  tf.registerBackend('webgpu', () => backend, -1)
  completeKernels()
  return compileEagerly(watched(device))
}

/** TF.js's constructor looks for `navigator.gpu`; nobody else needs it. */
function withGpu<T>(gpu: Gpu, work: () => T): T {
  const hadNavigator = 'navigator' in globalThis
  if (!hadNavigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  const { navigator } = globalThis as unknown as { navigator: object }
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  try {
    return work()
  } finally {
    Reflect.deleteProperty(navigator, 'gpu')
    if (!hadNavigator) Reflect.deleteProperty(globalThis, 'navigator')
  }
}

/** TF.js reads a device synchronously by painting on a canvas, which only browsers have. */
function readable(Backend: Package['WebGPUBackend']): Package['WebGPUBackend'] {
  return class extends Backend {
    override readSync(dataId: object): tf.BackendValues {
      const { tensorMap } = this as unknown as { tensorMap: { get(id: object): { values: tf.BackendValues | null } } }
      const { values } = tensorMap.get(dataId)
      if (values) return values
      throw new TroupeError('E_COMPILE', 'dataSync: webgpu cannot read the value of a tensor synchronously', {
        where: callerLine(),
        hint: 'The function must not depend on data: use tf.where, or read the value outside of the function',
      })
    }
  }
}

/** Dawn reports what fails on the device to listeners, long after the call that caused it. */
function watched(device: Device): EagerDevice {
  let failure: string | undefined
  let lost: string | undefined
  device.addEventListener('uncapturederror', ({ error }) => {
    failure ??= error.message
  })
  void device.lost.then(({ message }) => {
    lost = message
  })
  return {
    backend: 'webgpu',
    isDataError: () => false,
    check() {
      const [message, isLost] = [lost ?? failure, lost !== undefined]
      failure = undefined
      if (message === undefined) return
      throw new TroupeError('E_BACKEND', `webgpu: ${isLost ? 'the device is lost: ' : ''}${message}`, {
        hint: isLost ? 'Start again: a device that is lost does not come back' : 'The device may be out of memory',
      })
    },
  }
}
