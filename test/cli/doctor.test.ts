import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { BackendProbe } from '../../runtime/tensor/index.js'
import { scratch } from './fixtures/scratch.js'
import { TOY, troupe } from './fixtures/troupe.js'

const side = process.env.TROUPE_BACKENDS
const there = { TROUPE_BACKENDS: side ?? '' }
const isThere = (name: string) => side !== undefined && existsSync(join(side, 'node_modules', name))
const isBeside = (name: string) => existsSync(join('node_modules', name))

async function probed(name: string, env: Record<string, string>): Promise<BackendProbe> {
  const { stdout } = await troupe(['doctor', '--json'], scratch(), env)
  return (JSON.parse(stdout) as { backends: BackendProbe[] }).backends.find((probe) => probe.name === name)!
}

test.serial('doctor: packages that are missing, with the command that installs them', async (t) => {
  if (isBeside('webgpu')) return void t.pass('installed beside Troupe')
  const env = { TROUPE_BACKENDS: scratch() }
  const webgpu = await probed('webgpu', env)
  t.like(webgpu, { usable: false, detail: 'webgpu and @tensorflow/tfjs-backend-webgpu are not installed' })
  t.is(webgpu.remedy, 'npm install webgpu @tensorflow/tfjs-backend-webgpu')
  t.regex((await probed('tensorflow', env)).remedy ?? '', /^npm install @tensorflow\/tfjs-node/)
})

test.serial('doctor: one package of two, no driver, a driver that is not there', async (t) => {
  if (!isThere('webgpu')) return void t.pass('needs webgpu in TROUPE_BACKENDS')
  const half = scratch()
  mkdirSync(join(half, 'node_modules'))
  symlinkSync(join(side!, 'node_modules', 'webgpu'), join(half, 'node_modules', 'webgpu'))
  t.is((await probed('webgpu', { TROUPE_BACKENDS: half })).remedy, 'npm install @tensorflow/tfjs-backend-webgpu')
  const none = await probed('webgpu', { ...there, VK_DRIVER_FILES: '/dev/null' })
  t.regex(none.detail, /no graphics driver/)
  t.is(none.remedy, 'apt-get install mesa-vulkan-drivers')
  const wrong = await probed('webgpu', { ...there, VK_DRIVER_FILES: '/nowhere/icd.json' })
  t.regex(wrong.detail, /\/nowhere\/icd\.json, which does not exist/)
  t.is(wrong.remedy, 'unset VK_DRIVER_FILES')
})

test.serial('doctor: the TensorFlow package is there, its addon is not built', async (t) => {
  if (!isThere('@tensorflow/tfjs-node')) return void t.pass('needs @tensorflow/tfjs-node in TROUPE_BACKENDS')
  const [from, to] = [join(side!, 'node_modules'), join(scratch(), 'node_modules')]
  mkdirSync(join(to, '@tensorflow'), { recursive: true })
  for (const folder of ['', '@tensorflow'])
    for (const name of readdirSync(join(from, folder)).filter((entry) => !['@tensorflow', 'tfjs-node'].includes(entry)))
      symlinkSync(join(from, folder, name), join(to, folder, name))
  for (const part of ['dist', 'package.json'])
    cpSync(join(from, '@tensorflow/tfjs-node', part), join(to, '@tensorflow/tfjs-node', part), { recursive: true })
  const probe = await probed('tensorflow', { TROUPE_BACKENDS: join(to, '..') })
  t.regex(probe.detail, /addon module .* can not be found/)
  t.is(probe.remedy, 'npm explore @tensorflow/tfjs-node -- npm run install')
})

test.serial(
  'a backend that was asked for and is not there is an error with its remedy; auto says what it took and why',
  async (t) => {
    if (isBeside('webgpu')) return void t.pass('installed beside Troupe')
    const env = { TROUPE_BACKENDS: scratch() }
    const refused = await troupe(['run', TOY, '--backend', 'webgpu'], scratch(), env)
    t.is(refused.code, 1)
    t.regex(refused.stderr, /webgpu backend cannot be used: .* not installed\. npm install webgpu/)
    const taken = await troupe(['run', TOY], scratch(), env)
    t.is(taken.code, 0)
    t.regex(taken.stderr, /^backend onnx: the fastest that loads, no GPU: tensorflow: /m)
  },
)

test.serial('auto never takes a software adapter; tensorflow is not for several threads', async (t) => {
  if (!isThere('webgpu') || !isThere('@tensorflow/tfjs-node')) return void t.pass('needs both in TROUPE_BACKENDS')
  t.regex((await troupe(['run', TOY], scratch(), there)).stderr, /^backend (onnx|webgpu .* on (?!SwiftShader))/m)
  const refused = await troupe(['run', TOY, '--backend', 'tensorflow'], scratch(), there)
  t.is(refused.code, 1)
  t.regex(refused.stderr, /one thread of a process.*--stage inline/)
  t.is((await troupe(['run', TOY, '--backend', 'tensorflow', '--stage', 'inline'], scratch(), there)).code, 0)
})
