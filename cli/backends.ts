import { TroupeError } from '../runtime/kernel/errors.js'
import { type Backend, type BackendProbe, mayThreadsUse, probeBackend } from '../runtime/tensor/index.js'

/** A backend and why it was taken. */
export interface Choice {
  readonly backend: Backend
  readonly why: string
}

type Stage = 'inline' | 'threads' | 'virtual'

/**
 * `auto` takes the first that loads of: a real GPU by `tensorflow` or `webgpu`, `onnx`, `tensorflow` on the CPU, `cpu`. One
 * that was asked for by name and cannot be used is an `E_BACKEND` with the reason and the remedy.
 */
export async function chooseBackend(asked: 'auto' | Backend, stage: Stage): Promise<Choice> {
  if (asked !== 'auto') {
    const probe = await probeBackend(asked)
    if (!probe.usable)
      throw new TroupeError('E_BACKEND', `the ${asked} backend cannot be used: ${probe.detail}`, {
        hint: probe.remedy ? `${probe.remedy}, or use --backend auto` : 'Use --backend auto',
      })
    refuseThreads(asked, stage)
    return take(probe, 'asked for')
  }
  const gpus = await Promise.all((['tensorflow', 'webgpu'] as const).map(probeBackend))
  const reachable = gpus.filter(({ name }) => mayThreadsUse(name) || stage !== 'threads')
  const gpu = reachable.find(({ usable, isGpu }) => usable && isGpu)
  if (gpu) return take(gpu, 'the fastest that loads: a GPU')
  const without = `no GPU: ${gpus.map(({ name, detail }) => `${name}: ${detail}`).join('; ')}`
  const onnx = await probeBackend('onnx')
  if (onnx.usable) return take(onnx, `the fastest that loads, ${without}`)
  const native = reachable.find(({ name, usable }) => name === 'tensorflow' && usable)
  const rest = `onnx: ${onnx.detail}; ${without}`
  return native ? take(native, `the fastest that loads, ${rest}`) : { backend: 'cpu', why: `the last resort, ${rest}` }
}

function take(probe: BackendProbe, reason: string): Choice {
  // read by the Vulkan loader from this process's environment, whichever thread opens the device
  if (probe.driver) process.env.VK_DRIVER_FILES ??= probe.driver
  return { backend: probe.name, why: `${reason} (${probe.detail})` }
}

function refuseThreads(backend: Backend, stage: Stage): void {
  if (stage !== 'threads' || mayThreadsUse(backend)) return
  throw new TroupeError(
    'E_BACKEND',
    'tensorflow computes in one thread of a process, and the threads stage has several',
    {
      hint: 'Use --stage inline, or set TROUPE_TENSORFLOW_THREADS=many to allow it',
    },
  )
}
