import { mul } from '@tensorflow/tfjs-core'
import { TroupeError } from '../../kernel/errors.js'
import { type Backend, compile, type HostTensor } from '../compile.js'
import { locate } from './packages.js'
import type { BackendProbe } from './probe.js'

/** What is told of a backend that works. */
async function found(name: Backend): Promise<Omit<BackendProbe, 'name' | 'usable'>> {
  if (name === 'tensorflow') {
    const { loadTensorflow } = await import('./tensorflow.js')
    const { located, isGpu } = await loadTensorflow()
    return { isGpu, detail: `${located.name} ${located.version} on ${isGpu ? 'a GPU' : 'the CPU'}` }
  }
  if (name === 'webgpu') {
    const { findAdapter } = await import('./webgpu-driver.js')
    const { adapter, isSoftware, driver } = await findAdapter()
    const { description, vendor } = adapter.info
    const kind = isSoftware ? ' (software, for tests: auto never takes it)' : ''
    const detail = `webgpu ${locate('webgpu')?.version} on ${description || vendor}${kind}`
    return { isGpu: !isSoftware, detail, driver }
  }
  const library = name === 'onnx' ? 'onnxruntime-node' : '@tensorflow/tfjs-backend-cpu'
  return { isGpu: false, detail: `${library} ${locate(library)?.version}` }
}

async function probe(name: Backend): Promise<BackendProbe> {
  try {
    const three: HostTensor = { dtype: 'float32', shape: [1], data: Float32Array.of(3) }
    const [nine] = await compile(([x]) => [mul(x!, x!)], { name: 'probe', backend: name }).run([three])
    if (nine?.data[0] !== 9) throw new Error(`3 · 3 is ${nine?.data[0]} on it`)
    return { name, usable: true, ...(await found(name)) }
  } catch (error) {
    const { message, hint } = error instanceof TroupeError ? error : { message: String(error), hint: undefined }
    return { name, usable: false, isGpu: false, detail: message, remedy: hint }
  }
}

const said = JSON.stringify(await probe(process.argv[2] as Backend))
process.stdout.write(`\n${said}\n`, () => process.exit(0))
