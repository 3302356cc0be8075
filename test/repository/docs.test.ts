import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { type Actions, buildProgram } from '../../cli/program.js'
import { commands, fences, pages } from './documents.js'
import { filesIn, ROOT } from './files.js'

/** Undefined where the command line is understood, else why not. */
async function misunderstood(words: readonly string[]): Promise<string | undefined> {
  const nothing = async () => 0
  const actions: Actions = {
    list: nothing,
    run: nothing,
    resume: nothing,
    replay: nothing,
    sweep: nothing,
    top: nothing,
    report: nothing,
    doctor: nothing,
    bench: nothing,
    claims: nothing,
  }
  const program = buildProgram(actions, () => {})
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return undefined
  } catch (error) {
    const { exitCode, message } = error as { exitCode?: number; message: string }
    return exitCode === 0 ? undefined : message
  }
}

test('every troupe command in the documentation is one that the command line understands', async (t) => {
  const all = pages.flatMap((page) => fences(page, /^(sh|bash|shell|console)$/).flatMap(commands))
  for (const { where, words } of all) {
    const at = words[0] === 'npx' && words[1] === 'troupe' ? 2 : words[0] === 'troupe' ? 1 : undefined
    if (at === undefined) continue
    t.is(await misunderstood(words.slice(at)), undefined, `${where}: ${words.join(' ')}`)
  }
  t.is(await misunderstood(['run', 'self-rewarding', '--set', 'a=1', 'b=2']), undefined)
  t.regex((await misunderstood(['run', 'x', '--no-such'])) ?? '', /unknown option/)
})

test('every npm script in the documentation exists', (t) => {
  const { scripts } = JSON.parse(filesIn('.', 'package.json').find((file) => file.path === 'package.json')!.text)
  const all = pages.flatMap((page) => fences(page, /^(sh|bash|shell|console)$/).flatMap(commands))
  for (const { where, words } of all) {
    if (words[0] !== 'npm') continue
    const script = words[1] === 'run' ? words[2] : words[1] === 'test' ? 'test' : undefined
    if (script !== undefined) t.true(script in scripts, `${where}: ${words.join(' ')}`)
  }
  t.pass()
})

test('every TypeScript example in the documentation compiles', async (t) => {
  t.timeout(110_000)
  const examples = pages.flatMap((page) => fences(page, /^(ts|typescript)$/))
  if (examples.length === 0) {
    t.pass()
    return
  }
  const folder = join(ROOT, 'dist', 'doc-examples')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  examples.forEach(({ code }, index) => {
    writeFileSync(join(folder, `example-${index}.ts`), `${code}\nexport {}\n`)
  })
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: true, incremental: false, rootDir: '../..', tsBuildInfoFile: null },
      include: ['*.ts'],
      exclude: [], // by default all of dist/ is
    }),
  )
  const errors = await compile(folder)
  const told = errors.replace(/example-(\d+)\.ts/g, (name, index) => `${name} (${examples[Number(index)]?.where})`)
  t.is(told, '')
})

/** The compiler's complaints; empty where there are none. */
function compile(folder: string): Promise<string> {
  const compiler = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))
  if (!existsSync(compiler)) throw new Error(`no compiler at ${compiler}`)
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, '-p', join(folder, 'tsconfig.json')], (_error, stdout) =>
      resolve(stdout.trim()),
    )
  })
}
