import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { TroupeError } from '../runtime/kernel/errors.js'

/** Whether a tensor backend can be used here. */
export interface BackendReport {
  readonly name: 'onnx' | 'cpu' | 'tensorflow' | 'webgpu'
  readonly usable: boolean
  /** Package and version where it is installed, else what is missing. */
  readonly detail: string
  /** What to type to get it; undefined where nothing is to be done. */
  readonly remedy?: string | undefined
}

const require = createRequire(import.meta.url)

/** Tries to load one backend's library. */
export async function probeBackend(name: BackendReport['name']): Promise<BackendReport> {
  const { packages, remedy } = BACKENDS[name]
  const problems: string[] = []
  for (const candidate of packages) {
    try {
      await import(candidate)
      return { name, usable: true, detail: `${candidate} ${installedVersion(candidate)}` }
    } catch (error) {
      problems.push(
        missing(error) ? `${candidate} is not installed` : `${candidate} does not load: ${firstLine(error)}`,
      )
    }
  }
  return { name, usable: false, detail: problems.join('; '), remedy }
}

/** `auto` is onnx where it loads, else cpu; a backend that was asked for by name and does not load is an `E_BACKEND`. */
export async function chooseBackend(asked: 'auto' | 'onnx' | 'cpu'): Promise<'onnx' | 'cpu'> {
  if (asked === 'cpu') return 'cpu'
  const onnx = await probeBackend('onnx')
  if (onnx.usable) return 'onnx'
  if (asked === 'auto') return 'cpu'
  throw new TroupeError('E_BACKEND', `the onnx backend cannot be used: ${onnx.detail}`, {
    hint: `${onnx.remedy}, or use --backend cpu`,
  })
}

const BACKENDS = {
  onnx: { packages: ['onnxruntime-node'], remedy: 'npm install onnxruntime-node' },
  cpu: { packages: ['@tensorflow/tfjs-backend-cpu'], remedy: 'npm install @tensorflow/tfjs-backend-cpu' },
  tensorflow: {
    packages: ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'],
    remedy: 'npm install @tensorflow/tfjs-node-gpu (NVIDIA GPU) or @tensorflow/tfjs-node',
  },
  webgpu: { packages: ['webgpu'], remedy: 'npm install webgpu @tensorflow/tfjs-backend-webgpu' },
} as const

function missing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
}

/** From the package.json nearest above the package's entry: not every package exports its own. */
function installedVersion(name: string): string {
  const entry = require.resolve(name)
  const folder = `node_modules/${name}/`
  const root = entry.slice(0, entry.lastIndexOf(folder) + folder.length)
  try {
    return (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version
  } catch {
    return '(version unknown)'
  }
}
