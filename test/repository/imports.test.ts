import { posix } from 'node:path'
import test from 'ava'
import { filesIn, importsOf } from './files.js'

/** What each part of the house may import of the others: downwards only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  models: ['runtime'],
  alignment: ['runtime'],
  actors: ['alignment', 'models', 'runtime'],
  scenarios: ['actors', 'alignment', 'models', 'runtime'],
  bench: ['scenarios', 'actors', 'alignment', 'models', 'runtime'],
  cli: ['bench', 'scenarios', 'actors', 'alignment', 'models', 'runtime'],
}

/** Packages that only some folders may import. */
const RESERVED: readonly { readonly name: string; readonly pattern: RegExp; readonly folders: readonly string[] }[] = [
  {
    name: 'TensorFlow.js core',
    pattern: /^@tensorflow\/tfjs-core/,
    folders: ['runtime/tensor/', 'models/', 'alignment/', 'bench/tensor/'],
  },
  { name: 'TensorFlow.js', pattern: /^@tensorflow\/(?!tfjs-core)/, folders: ['runtime/tensor/'] },
  { name: 'ONNX Runtime', pattern: /^onnxruntime-/, folders: ['runtime/tensor/'] },
  { name: 'piscina', pattern: /^piscina/, folders: ['runtime/placement/'] },
  { name: 'OpenTelemetry', pattern: /^@opentelemetry\//, folders: ['runtime/observe/'] },
  { name: 'the OpenAI client', pattern: /^openai/, folders: ['actors/remote-'] },
  { name: 'comlink', pattern: /^comlink/, folders: ['runtime/placement/', 'runtime/kernel/'] },
]

const sources = Object.keys(MAY_IMPORT).flatMap((folder) => filesIn(folder, '.ts'))

test('imports run downwards only', (t) => {
  const wrong = sources.flatMap((file) => {
    const own = file.path.split('/')[0]!
    return importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(file.path), specifier))
      .filter((target) => target.split('/')[0] !== own && !MAY_IMPORT[own]!.includes(target.split('/')[0]!))
      .map((target) => `${file.path} imports ${target}`)
  })
  t.deepEqual(wrong, [])
})

test('heavy or native packages stay behind the one folder that knows them', (t) => {
  const wrong = sources.flatMap((file) =>
    importsOf(file).flatMap((specifier) =>
      RESERVED.filter(
        ({ pattern, folders }) => pattern.test(specifier) && !folders.some((folder) => file.path.startsWith(folder)),
      ).map(({ name }) => `${file.path} imports ${name}`),
    ),
  )
  t.deepEqual(wrong, [])
})

test('the rules see what they should', (t) => {
  t.true(sources.length > 30)
  const text =
    "import a from '../x.js'\nexport type { B } from './b.js'\nimport 'c'\nconst d = await import('./d.js')\n// import e from 'e'\nimport {\n  f,\n} from 'f'\n"
  t.deepEqual(importsOf({ path: 'x.ts', text }), ['../x.js', './b.js', 'c', './d.js', 'f'])
})
