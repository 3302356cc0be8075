import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import { plainView } from '../../cli/live/plain.js'
import { absorb, type LiveState, liveState, timeLeft } from '../../cli/live/state.js'
import { renderLive } from '../../cli/live/view.js'
import type { ActorIdentity, RunEvent } from '../../runtime/observe/events.js'

const START = 1_000_000
const judge: ActorIdentity = { name: 'judge', role: 'judge', replica: 0 }
const learner: ActorIdentity = { name: 'learner', role: 'learner', replica: 0 }
const evaluator: ActorIdentity = { name: 'evaluator', role: 'evaluator', replica: 0 }

const events: readonly RunEvent[] = [
  { type: 'state', actor: judge, at: START, state: 'starting' },
  { type: 'state', actor: learner, at: START, state: 'ready' },
  { type: 'progress', actor: learner, at: START + 1000, phase: 'M2', done: 10, total: 100, unit: 'updates' },
  { type: 'progress', actor: learner, at: START + 6000, phase: 'M2', done: 60, total: 100, unit: 'updates' },
  { type: 'span', actor: learner, name: 'train', queuedAt: START, start: START + 2000, end: START + 6000 },
  { type: 'queue', actor: judge, at: START + 5000, input: 'groups', depth: 3, window: 4 },
  { type: 'metric', actor: judge, at: START + 5000, name: 'judge/unreadable', value: 7 },
  { type: 'metric', actor: learner, at: START + 5000, name: 'learner/loss', value: 0.61234 },
  { type: 'metric', actor: learner, at: START + 5000, name: 'staleness/lag_mean', value: 1 },
  { type: 'metric', actor: learner, at: START + 6000, name: 'staleness/lag_mean', value: 4 },
  { type: 'metric', actor: learner, at: START + 6000, name: 'staleness/lag_max', value: 5 },
  { type: 'log', actor: learner, at: START + 6000, level: 'info', message: 'hello\u001b[2J\nworld' },
]

function facts(stage: string) {
  return { scenario: 'toy', preset: 'quick', seed: 3, stage, backend: 'onnx', out: 'runs/x', startedAt: START }
}

function gathered(): LiveState {
  const state = liveState(facts('threads'))
  for (const event of events) absorb(state, event)
  return state
}

test('the live view shows each actor, its progress, load and queues, then the telling metrics', (t) => {
  t.deepEqual(renderLive(gathered(), START + 8000, { columns: 80, rows: 24, colour: false }), [
    'toy quick · seed 3 · threads · onnx · 0:08, about 0:02 left in M2',
    'judge    ready                                     0 % groups 3/4',
    'learner  M2      ███████░░░░░ 60/100 updates      57 % ',
    '  loss 0.612 · lag 4 (mean 2.5, max 5) · unreadable 7',
    '  learner: hello [2J world',
  ])
})

test('no line is wider than the terminal, and colours are never cut in two', (t) => {
  for (const columns of [20, 33, 47, 80]) {
    const plain = renderLive(gathered(), START + 8000, { columns, rows: 24, colour: false })
    const coloured = renderLive(gathered(), START + 8000, { columns, rows: 24, colour: true })
    t.true(plain.every((line) => line.length <= columns))
    t.deepEqual(
      coloured.map((line) => stripVTControlCharacters(line)),
      plain,
    )
  }
})

test('more actors than the terminal has rows are counted, not drawn', (t) => {
  const state = gathered()
  for (let replica = 0; replica < 30; replica++)
    absorb(state, {
      type: 'state',
      actor: { name: `sampler/${replica}`, role: 'sampler', replica },
      at: START,
      state: 'ready',
    })
  const lines = renderLive(state, START + 8000, { columns: 80, rows: 12, colour: false })
  t.true(lines.length <= 12)
  t.regex(lines.join('\n'), /… and 26 more actors/)
})

test('the time left follows the whole run where the scenario reports it', (t) => {
  const state = gathered()
  const run: ActorIdentity = { name: 'run', role: 'run', replica: 0 }
  absorb(state, { type: 'progress', actor: run, at: START, phase: 'run', done: 0, total: 10, unit: 'updates' })
  absorb(state, { type: 'progress', actor: run, at: START + 10_000, phase: 'run', done: 2, total: 10, unit: 'updates' })
  t.deepEqual(timeLeft(state, START + 15_000), { ms: 35_000, of: undefined })
  t.false(renderLive(state, START, { columns: 80, rows: 24, colour: false }).some((line) => line.startsWith('run ')))
})

test('plain lines tell of a phase once, of warnings, and of evaluations when they are complete', (t) => {
  const state = gathered()
  const view = plainView(state)
  const feed = (event: RunEvent) => {
    absorb(state, event)
    return view.lines(event)
  }
  const progress = { type: 'progress', actor: learner, phase: 'M3', total: 9, unit: 'updates' } as const
  t.deepEqual(feed({ ...progress, at: START + 61_000, done: 1 }), ['[1:01] learner: M3 (9 updates)'])
  t.deepEqual(feed({ ...progress, at: START + 62_000, done: 2 }), [])
  t.deepEqual(feed({ type: 'log', actor: judge, at: START, level: 'warn', message: 'odd\nverdict' }), [
    '[0:00] judge: warn: odd verdict',
  ])
  t.deepEqual(feed({ type: 'log', actor: judge, at: START, level: 'debug', message: 'noise' }), [])
  for (const [name, value] of [
    ['eval/gold_score', 3],
    ['eval/gold_win_rate', 0.625],
  ] as const)
    t.deepEqual(feed({ type: 'metric', actor: evaluator, at: START + 900, name, value }), [])
  t.deepEqual(view.tick(START + 1000), ['[0:01] evaluator: gold win rate 0.625 · gold score 3'])
  t.deepEqual(view.tick(START + 1500), [])
  t.regex(view.tick(START + 65_000)[0]!, /^\[1:05\] learner 2\/9 · gold win rate 0\.625 · loss 0\.612 · .*left in M3$/)
})

test('of a virtual run, what it says is of its own time, and the time left is of the machine’s', (t) => {
  const state = liveState(facts('virtual'))
  const view = plainView(state)
  const progress = (at: number, done: number): RunEvent => {
    return { type: 'progress', actor: learner, at, phase: 'M2', done, total: 100, unit: 'updates' }
  }
  const heard: [RunEvent, number][] = [
    [{ type: 'state', actor: learner, at: 0, state: 'ready' }, 10],
    [{ type: 'span', actor: learner, name: 'train', queuedAt: 0, start: 30_000, end: 60_000 }, 2000],
    [progress(60_000, 10), 2000],
    [progress(120_000, 60), 7000],
    [{ type: 'log', actor: learner, at: 120_000, level: 'info', message: 'hello' }, 7000],
  ]
  const said = heard.flatMap(([event, at]) => {
    absorb(state, event, START + at)
    return view.lines(event)
  })
  t.deepEqual(said, ['[0:00] all 1 actors are ready', '[1:00] learner: M2 (100 updates)', '[2:00] learner: hello'])
  t.is(timeLeft(state, START + 7000)?.ms, 4000, '40 of 100 at 10 a second of the machine')
  t.deepEqual(view.tick(START + 7000), ['[2:00] learner 60/100 · about 0:04 left in M2'])
  t.is(
    renderLive(state, START + 7000, { columns: 90, rows: 24, colour: false })[0],
    'toy quick · seed 3 · virtual · onnx · 0:07, 2:00 virtual, about 0:04 left in M2',
  )
})
