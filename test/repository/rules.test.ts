import test from 'ava'
import { filesIn, withoutComments } from './files.js'

const MAX_LINES = 400

/** Time and chance come in through an actor's `start`, so that a run can be replayed. */
const AMBIENT =
  /\b(Date\.now|new Date\(\)|performance\.(now|timeOrigin)|Math\.random|setTimeout|setInterval|setImmediate|crypto\.(randomUUID|getRandomValues))\b/

/** Who may know the gold scorer: the evaluator, and the file that declares what a world is. */
const KNOWS_GOLD = /^actors\/(evaluat[a-z-]*|gold[a-z-]*|world|index)\.ts$/

/** Who may know a world's annotator: the role that is one, its loader, and the file that declares what a world is. */
const KNOWS_ANNOTATOR = /^actors\/(annotator(-module)?|world|index)\.ts$/

test('only runtime/time touches the machine’s clock, timers and chance', (t) => {
  const files = ['runtime', 'models', 'actors', 'alignment']
    .flatMap((folder) => filesIn(folder, '.ts'))
    .filter((file) => !file.path.startsWith('runtime/time/'))
  t.true(files.length > 20)
  const wrong = files.flatMap((file) => {
    const found = AMBIENT.exec(withoutComments(file.text))
    return found ? [`${file.path}: ${found[1]}`] : []
  })
  t.deepEqual(wrong, [])
})

test('no actor but the evaluator knows the gold scorer', (t) => {
  const files = filesIn('actors', '.ts')
  const mentions = files.filter((file) => /createGold|loadGold|GoldModule|\bGold\b/.test(withoutComments(file.text)))
  t.true(mentions.length >= 2, 'the evaluator and world.ts themselves are seen')
  t.deepEqual(
    mentions.map((file) => file.path).filter((path) => !KNOWS_GOLD.test(path)),
    [],
  )
})

test('no actor but the annotator knows the world’s annotator', (t) => {
  const knows = filesIn('actors', '.ts')
    .filter((file) => /createAnnotator|loadAnnotator|\bAnnotator(Module)?\b/.test(withoutComments(file.text)))
    .map((file) => file.path)
  t.true(knows.length >= 3, 'the annotator, its loader and world.ts themselves are seen')
  t.deepEqual(
    knows.filter((path) => !KNOWS_ANNOTATOR.test(path)),
    [],
  )
})

test(`no file is longer than ${MAX_LINES} lines`, (t) => {
  const folders = ['runtime', 'models', 'alignment', 'actors', 'scenarios', 'cli', 'bench', 'examples', 'test']
  const long = folders
    .flatMap((folder) => filesIn(folder, '.ts'))
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
  t.deepEqual(long, [])
})
