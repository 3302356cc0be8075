import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import { registerGradients } from '../gradients/index.js'
import { compileEagerly } from './eager.js'
import { installed, type Located, load, quietly } from './packages.js'
import { claimTensorflow } from './tensorflow-thread.js'

/** What the loaded package is, and whether it computes on a GPU. */
export interface Tensorflow {
  readonly located: Located
  readonly isGpu: boolean
}

let opening: Promise<ReturnType<typeof compileEagerly>> | undefined

/** TF.js's native TensorFlow, opened once in a thread, and in one thread of a process only. Throws `E_BACKEND`. */
export function openTensorflow() {
  opening ??= open()
  return opening
}

async function open() {
  const release = await claimTensorflow()
  try {
    await loadTensorflow()
  } catch (error) {
    release()
    throw error
  }
  return compileEagerly({
    backend: 'tensorflow',
    isDataError: (error) => error instanceof Error && /is not in \[0|does not index into/.test(error.message),
    check() {},
  })
}

/** Registers the backend with TF.js. The GPU package comes first where both are installed. */
export async function loadTensorflow(): Promise<Tensorflow> {
  const located = installed('tensorflow')
  prepareEnvironment()
  restoreRemovedUtilities()
  const before = tf.getBackend()
  await quietly(() => load(located, rebuildCommand(located)))
  if (before) void tf.setBackend(before)
  // the package brings TF.js's own gradients along: ours have to be the last
  registerGradients({ again: true })
  const { isUsingGpuDevice = false } = tf.findBackend('tensorflow') as { isUsingGpuDevice?: boolean }
  return { located, isGpu: isUsingGpuDevice }
}

/** TensorFlow's defaults take the whole GPU's memory and tell of themselves on stderr. What the user has set stays. */
function prepareEnvironment(): void {
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
}

/** tfjs-node 4.22 calls helpers that Node 23 took out of `node:util`. */
function restoreRemovedUtilities(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
  util.isArray ??= Array.isArray
}

/** The package is there, its addon is not: the install script fetches the library and builds what is missing. */
function rebuildCommand({ name }: Located): string {
  return `npm explore ${name} -- npm run install`
}
