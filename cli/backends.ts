import { TroupeError } from '../runtime/kernel/errors.js'
import { type Backend, type BackendProbe, mayThreadsUse, probeBackend } from '../runtime/tensor/index.js'

/** A backend and why it was taken. */
export interface Choice {
  readonly backend: Backend
  readonly why: string
}

/** Where the actors of a run live. */
export interface Whereabouts {
  readonly stage: 'inline' | 'threads' | 'virtual'
  /** The scenario's actors that compute with tensors. */
  readonly computing?: readonly string[] | undefined
  /** Its configuration, of which `place` counts. */
  readonly config?: { readonly place?: unknown } | undefined
}

/** The actors that may compute with tensors in one process beside others that do: a backend must bear that. */
export function crowded({ stage, computing, config }: Whereabouts): readonly string[] {
  if (stage !== 'threads') return []
  if (!computing) return ['every role']
  const place = (config?.place ?? {}) as Readonly<Record<string, string>>
  return computing.filter((role) => place[role] !== 'process')
}

/**
 * `auto` takes the first that loads of: a real GPU by `tensorflow` or `webgpu`, `onnx`, `tensorflow` on the CPU, `cpu`. One
 * that was asked for by name and cannot be used is an `E_BACKEND` with the reason and the remedy.
 */
export async function chooseBackend(asked: 'auto' | Backend, where: Whereabouts): Promise<Choice> {
  if (asked !== 'auto') {
    const probe = await probeBackend(asked)
    if (!probe.usable)
      throw new TroupeError('E_BACKEND', `the ${asked} backend cannot be used: ${probe.detail}`, {
        hint: probe.remedy ? `${probe.remedy}, or use --backend auto` : 'Use --backend auto',
      })
    refuseThreads(asked, where)
    return take(probe, 'asked for')
  }
  const gpus = await Promise.all((['tensorflow', 'webgpu'] as const).map(probeBackend))
  const reachable = gpus.filter(({ name }) => mayThreadsUse(name) || crowded(where).length === 0)
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

/** `E_BACKEND` for a backend that several threads of one process would have to use, and cannot. */
export function refuseThreads(backend: Backend, where: Whereabouts): void {
  if (mayThreadsUse(backend)) return
  const roles = crowded(where)
  if (roles.length === 0) return
  const settings = roles.map((role) => `--set place.${role}=process`).join(' ')
  const elsewhere = where.computing ? `Give each a process (${settings}), use` : 'Use'
  throw new TroupeError(
    'E_BACKEND',
    `tensorflow computes in one thread of a process, and ${roles.join(', ')} would be threads of one`,
    { hint: `${elsewhere} --stage inline, or set TROUPE_TENSORFLOW_THREADS=many to allow it` },
  )
}
