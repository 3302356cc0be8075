import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { RunEvent } from '../../../runtime/observe/events.js'
import { openRunFolder, readRunDescription, resumeRunFolder } from '../../../runtime/observe/run-folder.js'
import { scratch } from '../../cli/fixtures/scratch.js'

const WRITER = fileURLToPath(new URL('../fixtures/writer.js', import.meta.url))
const description = { scenario: 'toy', seed: 1, stage: 'inline', backend: 'cpu', config: {}, startedAt: 0 }
const fresh = () => join(scratch(), 'run')

/** Events of three actors, one of which is heard of late, and of every kind that has a file. */
const events = Array.from({ length: 24 }, (_, at): RunEvent => {
  const replica = at < 12 ? at % 2 : at % 3
  const actor = { name: `actor/${replica}`, role: 'actor', replica }
  const kinds: RunEvent[] = [
    { type: 'metric', actor, at, name: 'löss', value: at },
    { type: 'record', actor, at, kind: 'sample', value: { id: at } },
    { type: 'log', actor, at, level: 'info', message: `line ${at}` },
    { type: 'span', actor, name: 'turn', queuedAt: at, start: at, end: at + 1 },
    { type: 'record', actor, at, kind: 'evaluation', value: at },
  ]
  return kinds[at % 5]!
})

/** Of all files but that of what the process uses, which is not the same twice. */
const contents = (path: string) =>
  Object.fromEntries(
    readdirSync(path)
      .filter((name) => name !== 'status.json')
      .sort()
      .map((name) => [name, readFileSync(join(path, name), 'utf8')]),
  )

for (const stage of ['inline', 'virtual'])
  test(`${stage}: a folder that was cut anywhere and gone on with is, to the byte, one that never was`, (t) => {
    const description = { scenario: 'toy', seed: 1, stage, backend: 'cpu', config: {}, startedAt: 0 }
    const whole = openRunFolder(fresh(), description)
    for (const event of events) whole.observe(event)
    whole.finish({ done: true })
    const wanted = contents(whole.path)
    t.true(JSON.parse(wanted['trace.json']!).length > events.length / 2)
    t.is('events.jsonl' in wanted, stage === 'virtual')
    for (let cut = 0; cut <= events.length; cut++) {
      const before = openRunFolder(fresh(), description)
      for (const event of events.slice(0, cut)) before.observe(event)
      const marks = before.marks()
      for (const event of events.slice(cut).reverse()) before.observe(event) // all of this is lost
      before.fail(new Error('stopped'), 99)
      const after = resumeRunFolder(before.path, structuredClone(marks))
      t.deepEqual(after.description, description)
      t.deepEqual(readRunDescription(before.path), description)
      t.false(existsSync(join(after.path, 'error.json')), 'the run goes on')
      t.deepEqual(after.marks(), marks, `cut at ${cut}`)
      for (const event of events.slice(cut)) after.observe(event)
      t.is(after.traceHash(), whole.traceHash(), `cut at ${cut}`)
      after.finish({ done: true })
      t.deepEqual(contents(after.path), wanted, `cut at ${cut}`)
    }
  })

test('marks count bytes, and what they count is in the files', (t) => {
  const folder = openRunFolder(fresh(), description)
  t.deepEqual(folder.marks(), { 'trace.json': 0, 'metrics.jsonl': 0, 'samples.jsonl': 0 })
  for (const event of events) folder.observe(event)
  for (const [name, mark] of Object.entries(folder.marks()))
    t.is(readFileSync(join(folder.path, name)).length, mark, name)
  folder.finish({})
})

test('a folder that has lost what the journal knows of is not gone on with, and stays as it is', (t) => {
  const folder = openRunFolder(fresh(), description)
  for (const event of events) folder.observe(event)
  const marks = folder.marks()
  folder.fail(new Error('stopped'), 99)
  const path = join(folder.path, 'metrics.jsonl')
  writeFileSync(path, readFileSync(path).subarray(0, -1))
  const before = contents(folder.path)
  const size = marks['metrics.jsonl']!
  t.throws(() => resumeRunFolder(folder.path, marks), {
    code: 'E_JOURNAL',
    message: `metrics.jsonl has ${size - 1} bytes, and the journal knows of ${size}`,
  })
  t.throws(() => resumeRunFolder(folder.path, { ...marks, '../escape.jsonl': 0 }), { code: 'E_JOURNAL' })
  t.deepEqual(contents(folder.path), before)
  writeFileSync(join(folder.path, 'config.json'), '{"torn')
  t.throws(() => resumeRunFolder(folder.path, marks), { code: 'E_JOURNAL', message: /no run folder/ })
  t.throws(() => resumeRunFolder(scratch(), {}), { code: 'E_JOURNAL', message: /no run folder/ })
})

/** Starts a writer and waits for what it says. */
async function writer(path: string, before: number, after: number) {
  const child = fork(WRITER, [path, String(before), String(after)])
  const [said] = (await once(child, 'message')) as [{ marks?: Record<string, number>; error?: { message: string } }]
  return { child, ...said }
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('a process that is killed leaves a folder that can be gone on with; while it lives nobody else may', async (t) => {
  const path = fresh()
  const { child, marks } = await writer(path, 5000, 3000)
  t.throws(() => resumeRunFolder(path, marks!), { code: 'E_JOURNAL', message: new RegExp(`^process ${child.pid} on `) })
  const second = await writer(path, 1, 0)
  t.regex(second.error!.message, new RegExp(`^process ${child.pid} on `))
  await killed(second.child)
  await killed(child)
  appendFileSync(join(path, 'metrics.jsonl'), '{"torn')
  const folder = resumeRunFolder(path, marks!)
  folder.observe({
    type: 'metric',
    actor: { name: 'actor/1', role: 'actor', replica: 1 },
    at: 9,
    name: 'loss',
    value: 7,
  })
  folder.finish({})
  const lines = readFileSync(join(path, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.deepEqual([lines.length, lines[4999].value, lines[5000].value], [5001, 4999, 7])
  const trace = JSON.parse(readFileSync(join(path, 'trace.json'), 'utf8')) as {
    ph: string
    name: string
    tid: number
  }[]
  t.is(trace.filter(({ ph }) => ph === 'C').length, 5001)
  t.is(trace.filter(({ name }) => name === 'thread_name').length, 3, 'an actor keeps its track')
  t.is(trace.findLast(({ ph }) => ph === 'C')!.tid, 2)
  t.false(existsSync(join(path, 'run.lock')))
})

test('a folder is locked while it is open, and free when it is closed, however that went', (t) => {
  const folder = openRunFolder(fresh(), description)
  t.throws(() => resumeRunFolder(folder.path, {}), { code: 'E_JOURNAL', message: /^this process \(\d+\) is writing/ })
  folder.fail(new Error('stopped'), 1)
  const again = resumeRunFolder(folder.path, {})
  again.finish({})
  t.throws(() => openRunFolder(folder.path, description), { code: 'EEXIST' })
  t.notThrows(() => resumeRunFolder(folder.path, {}).finish({}), 'an opening that failed holds no lock')
})

test('the lock of a process that is no more is taken over; of one that may live it is not', (t) => {
  const dead = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }))
  const locks: readonly [string, RegExp | undefined][] = [
    [JSON.stringify({ pid: dead, host: hostname() }), undefined],
    [JSON.stringify({ pid: process.pid, host: hostname() }), undefined],
    ['', undefined],
    [JSON.stringify({ pid: process.ppid, host: hostname() }), new RegExp(`^process ${process.ppid} on `)],
    [JSON.stringify({ pid: dead, host: 'elsewhere' }), /on elsewhere is writing/],
  ]
  for (const [lock, refused] of locks) {
    const path = fresh()
    mkdirSync(path)
    writeFileSync(join(path, 'run.lock'), lock)
    if (refused) t.throws(() => openRunFolder(path, description), { code: 'E_JOURNAL', message: refused }, lock)
    else openRunFolder(path, description).finish({})
    t.is(existsSync(join(path, 'run.lock')), refused !== undefined)
    t.deepEqual(
      readdirSync(path).filter((name) => /lock\./.test(name)),
      [],
    )
  }
})

test('a disk that takes no more is a sentence, not a torn process', async (t) => {
  const path = fresh()
  // 16 blocks for every file of the child: what a full disk does, without one
  const limited = ['-c', 'ulimit -f 16; exec "$0" "$@"', process.execPath, WRITER, path, '0', '5000']
  const child = spawn('sh', limited, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [said] = (await once(child, 'message')) as [{ error: { code: string; message: string } }]
  t.is(said.error.code, 'E_JOURNAL')
  t.regex(said.error.message, /^(metrics.jsonl|trace.json) cannot be written \(EFBIG\)$/)
  await killed(child)
})

const forZombies = process.platform === 'linux' ? test : test.skip
forZombies('the lock of a process that was killed and that its parent has not fetched is taken over', async (t) => {
  // the shell starts a child and becomes another program, which never fetches it; the child ends with its input
  const parent = spawn('sh', ['-c', 'cat <&3 >/dev/null & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  })
  const [printed] = await once(parent.stdout!, 'data')
  const zombie = Number(String(printed))
  const stateOf = () => readFileSync(`/proc/${zombie}/stat`, 'utf8').split(') ').at(-1)![0]
  const until = async (condition: () => boolean) => {
    for (let looks = 0; !condition() && looks < 1_000_000; looks++) await new Promise(setImmediate)
  }
  await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n')
  ;(parent.stdio[3] as Writable).end()
  await until(() => stateOf() === 'Z')
  const path = fresh()
  mkdirSync(path)
  writeFileSync(join(path, 'run.lock'), JSON.stringify({ pid: zombie, host: hostname() }))
  t.is(stateOf(), 'Z')
  t.notThrows(() => openRunFolder(path, description).finish({}))
  parent.kill('SIGKILL')
})
