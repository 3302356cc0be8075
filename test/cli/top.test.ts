import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { lifeOf } from '../../cli/top/read.js'
import { lifeSentence, renderTop } from '../../cli/top/view.js'
import type { ActorStatus, RunStatus } from '../../runtime/observe/status.js'
import { scratch } from './fixtures/scratch.js'
import { start, TOY, troupe } from './fixtures/troupe.js'

const START = 1_000_000
const usage = {
  cpuMs: 90_000,
  cpuOf: 'process',
  eventLoopUtilization: 0,
  rssBytes: 512 * 2 ** 20,
  heapUsedBytes: 20 * 2 ** 20,
  arrayBuffersBytes: 30 * 2 ** 20,
  tensorBytes: 0,
} as const

const actor = (name: string, more: Partial<ActorStatus> = {}): ActorStatus => ({
  ...{ name, role: name, replica: 0, state: 'ready', failures: 0, restarts: 0, setAside: 0 },
  ...{ busy: 0, turnsPerSecond: 0, queuedMs: 0, workMs: 0, queues: {} },
  ...more,
})

const metric = (latest: number, more: object = {}) => ({ latest, mean: latest, max: latest, sum: latest, ...more })

const status: RunStatus = {
  ...{ scenario: 'toy', preset: 'quick', seed: 3, stage: 'threads', backend: 'onnx', startedAt: START },
  ...{ at: START + 60_000, pid: 4711, host: 'elsewhere', process: usage },
  actors: [
    actor('sampler', {
      ...{ busy: 0.57, turnsPerSecond: 2.345, queuedMs: 83.4, workMs: 1234, cpu: 0.4, usage },
      progress: { phase: 'sampling', done: 48, unit: 'prompts' },
      queues: { prompts: { depth: 3, window: 4 } },
      lastLog: { at: START + 30_000, text: 'hello\u001b[2J' },
    }),
    actor('judge', { state: 'restarting', code: 'E_ACTOR_FAILED', failures: 2, restarts: 2, setAside: 1 }),
  ],
  metrics: {
    'learner/version': metric(12),
    'samples/issued': metric(24, { sum: 48 }),
    'samples/consumed': metric(30),
    'samples/dropped': metric(5),
    'staleness/lag_mean': metric(2, { mean: 1.25 }),
    'staleness/lag_max': metric(2, { max: 4 }),
  },
}

test('top shows the totals, each actor’s state, load and trouble, and what it said last', (t) => {
  const lines = renderTop(status, 'running', START + 61_000, { columns: 160, rows: 24, colour: false })
  t.deepEqual(
    lines.map((line) => line.trimEnd()),
    [
      'toy quick · seed 3 · threads · onnx · pid 4711 · 1:01 · running',
      'process  1:30 of CPU (1.5 cores), 512 MiB resident',
      'samples  48 issued = 30 consumed + 5 dropped + 13 in flight',
      'learner  version 12, lag 2 (mean 1.3, max 4)',
      '',
      'actor    doing        trouble                                                 busy  turns/s  queued   work   CPU    heap  buffers  tensors  inputs',
      'sampler  sampling 48                                                          57 %      2.3   83 ms  1.2 s  40 %  20 MiB   30 MiB    0 MiB  3/4',
      'judge    restarting   E_ACTOR_FAILED, restarted 2 times, 1 message set aside   0 %        0',
      '',
      '[0:30] sampler: hello [2J',
    ],
  )
})

test('of a virtual run, top shows both times, and what was said is dated by its own', (t) => {
  const actors = [actor('sampler', { lastLog: { at: 90_000, text: 'hello' } })]
  const lines = renderTop({ ...status, actors, stage: 'virtual', virtualMs: 125_000 }, 'running', START + 61_000, {
    ...{ columns: 160, rows: 24, colour: false },
  })
  t.is(lines[0], 'toy quick · seed 3 · virtual · onnx · pid 4711 · 1:01, 2:05 virtual · running')
  t.is(lines.at(-1), '[1:30] sampler: hello')
})

test('a narrow terminal loses columns before lines are cut, and more actors than rows are counted', (t) => {
  const calm = {
    ...status,
    actors: Array.from({ length: 40 }, (_, i) => actor(`sampler/${i}`, { ...status.actors[0], name: `sampler/${i}` })),
  }
  const head = (columns: number) =>
    renderTop(calm, 'running', START, { columns, rows: 20, colour: false })
      .find((line) => line.startsWith('actor'))
      ?.trim()
      .split(/ +/)
  t.deepEqual(head(120), [
    'actor',
    'doing',
    'busy',
    'turns/s',
    'queued',
    'work',
    'CPU',
    'heap',
    'buffers',
    'tensors',
    'inputs',
  ])
  t.deepEqual(head(70), ['actor', 'doing', 'busy', 'turns/s', 'queued', 'work', 'CPU', 'inputs'])
  t.deepEqual(head(44), ['actor', 'doing', 'busy', 'inputs'])
  const lines = renderTop(calm, 'running', START, { columns: 70, rows: 20, colour: false })
  t.true(lines.length + 2 < 20 && lines.every((line) => line.length <= 70))
  t.true(lines.includes('… and 30 more actors'))
})

test('a run is dead where it says nothing and its process is gone; of another machine nothing is known', (t) => {
  const { at } = status
  const life = (more: Partial<RunStatus>, after: number, alive: boolean) =>
    lifeOf({ ...status, ...more }, at + after, () => alive)
  t.is(life({}, 4000, false), 'running')
  t.is(life({}, 6000, true), 'silent')
  t.is(life({}, 6000, false), 'dead')
  t.is(life({ ended: { how: 'done' } }, 6000, false), 'done')
  t.is(lifeOf({ ...status, host: 'elsewhere' }, at + 6000), 'silent')
  t.is(lifeOf({ ...status, host: hostname(), pid: process.pid }, at + 6000), 'silent')
  t.is(
    lifeSentence(status, 'dead', at + 65_000),
    'The run is dead: 1:05 without a word, and its process 4711 is gone. It did not stop by itself.',
  )
})

test('top of a run in another process: while it goes on, when it has failed, and when it was killed', async (t) => {
  const cwd = scratch()
  const going = start(['run', TOY, '--set', 'hang=true', '--out', 'going'], cwd)
  const path = join(cwd, 'going', 'status.json')
  const read = (): RunStatus => JSON.parse(readFileSync(path, 'utf8'))
  await new Promise<void>((resolve) => going.child.stdout?.once('data', () => resolve()))
  const once = await troupe(['top', 'going', '--once'], cwd)
  t.is(once.code, 0, once.stderr)
  t.regex(once.stdout, /^toy quick · seed 1 · threads · onnx · pid \d+ · \S+ · running$/m)
  const json = await troupe(['top', 'going', '--json'], cwd)
  t.is(JSON.parse(json.stdout).pid, going.child.pid)
  going.child.kill('SIGKILL')
  await going.outcome
  writeFileSync(path, JSON.stringify({ ...read(), at: 0 }))
  const dead = await troupe(['top', 'going'], cwd)
  t.is(dead.code, 1)
  t.regex(dead.stdout, /^The run is dead: .* and its process \d+ is gone\. It did not stop by itself\.$/m)

  await troupe(['run', TOY, '--set', 'fail=crash', '--out', 'broken'], cwd)
  const failed = await troupe(['top', 'broken'], cwd)
  t.is(failed.code, 0)
  t.regex(failed.stdout, /^The run failed: the toy broke \(E_FAILED\)\.$/m)
})

test('what is no run folder is refused in a sentence', async (t) => {
  const { code, stdout, stderr } = await troupe(['top', 'nowhere', '--json'])
  t.is(code, 2)
  t.is(stdout, '')
  t.regex(
    stderr,
    /^troupe: "nowhere" is no run folder: it has no status\.json\. Give the folder that "troupe run" writes\n$/,
  )
})
