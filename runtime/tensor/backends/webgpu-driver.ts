import { existsSync, readFileSync } from 'node:fs'
import { arch, constants, platform } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { TroupeError } from '../../kernel/errors.js'
import { firstLine, installed, load } from './packages.js'

/** The little of WebGPU's interface that is used here; TF.js uses the rest. */
export interface Gpu {
  requestAdapter(options: { powerPreference: string }): Promise<Adapter | null>
}

interface Adapter {
  readonly features: ReadonlySet<string>
  readonly limits: Readonly<Record<string, number>>
  readonly info: { readonly vendor: string; readonly description: string; readonly isFallbackAdapter?: boolean }
  readonly isFallbackAdapter?: boolean
  requestDevice(options: object): Promise<Device>
}

export interface Device {
  readonly lost: Promise<{ readonly message: string }>
  addEventListener(type: 'uncapturederror', listener: (event: { error: Error }) => void): void
}

interface Dawn {
  create(options: string[]): Gpu
  readonly globals: Readonly<Record<string, unknown>>
}

export interface FoundAdapter {
  readonly gpu: Gpu
  readonly adapter: Adapter
  readonly globals: Dawn['globals']
  /** The adapter is a program on the CPU: good for tests, slow. */
  readonly isSoftware: boolean
  /** The software driver's description file, where it had to be pointed at. */
  readonly driver: string | undefined
}

/** Where browsers that bring SwiftShader along keep its description. */
const SOFTWARE_DRIVERS = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
]
const DRIVER_VARIABLE = 'VK_DRIVER_FILES'

/** Dawn never lets go of an adapter whose instance has been collected. */
const instances: Gpu[] = []

/**
 * The adapter of the machine's own driver; where there is none, that of a browser's SwiftShader, which is said on
 * stderr. The Vulkan loader reads the process's environment, so only the main thread can point it there.
 * Throws `E_BACKEND` that tells what is missing, with one command that would add it.
 */
export async function findAdapter(): Promise<FoundAdapter> {
  const dawn = await load<Dawn>(installed('webgpu', 'webgpu'), 'npm install --force webgpu')
  const attempt = async () => {
    const gpu = dawn.create([])
    instances.push(gpu)
    return { gpu, adapter: await gpu.requestAdapter({ powerPreference: 'high-performance' }) }
  }
  let { gpu, adapter } = await attempt()
  let driver = process.env[DRIVER_VARIABLE]
  if (!adapter && !driver && isMainThread) {
    driver = SOFTWARE_DRIVERS.find((file) => existsSync(file))
    if (driver) {
      process.env[DRIVER_VARIABLE] = driver
      ;({ gpu, adapter } = await attempt())
    }
  }
  if (!adapter) throw noAdapter()
  const isSoftware = adapter.info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false
  return { gpu, adapter, globals: dawn.globals, isSoftware, driver: isSoftware ? driver : undefined }
}

function noAdapter(): TroupeError {
  const asked = process.env[DRIVER_VARIABLE]
  if (asked && !existsSync(asked))
    return new TroupeError('E_BACKEND', `${DRIVER_VARIABLE} names ${asked}, which does not exist`, {
      hint: `unset ${DRIVER_VARIABLE}`,
    })
  if (platform() !== 'linux')
    return new TroupeError('E_BACKEND', `Dawn finds no graphics adapter on ${platform()} ${arch()}`)
  const missing = vulkanLoaderProblem()
  const message = missing
    ? `the Vulkan loader is missing (${missing})`
    : 'Vulkan finds no adapter: no graphics driver is installed, or it has no device to drive'
  return new TroupeError('E_BACKEND', message, {
    hint: missing ? installCommand('libvulkan1', 'vulkan-loader') : installCommand('mesa-vulkan-drivers'),
  })
}

/** dlopen says by its refusal whether the library is there: one that opens is not an addon, and is let go of. */
function vulkanLoaderProblem(): string | undefined {
  try {
    process.dlopen({ exports: {} } as NodeJS.Module, 'libvulkan.so.1', constants.dlopen.RTLD_LAZY)
    return undefined
  } catch (error) {
    const said = firstLine(error)
    return /cannot open shared object/.test(said) ? said : undefined
  }
}

/** A package by its Debian name, and by its Fedora name where that is another. */
function installCommand(debian: string, fedora = debian): string {
  let family = ''
  try {
    family = readFileSync('/etc/os-release', 'utf8')
  } catch {
    // not every Linux has one
  }
  return /fedora|rhel/.test(family) ? `dnf install ${fedora}` : `apt-get install ${debian}`
}
