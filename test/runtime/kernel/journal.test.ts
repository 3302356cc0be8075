import test from 'ava'
import {
  createTroupe,
  type RestartOptions,
  type RunEvent,
  type TroupeJournal,
  type TroupeOptions,
  type TroupeState,
} from '../../../runtime/index.js'
import { agree } from '../../../runtime/kernel/journal.js'
import { createWeightStore } from '../../../runtime/tensor/weight-store.js'
import { numberSource } from '../fixtures/mortal.js'
import { type Answer, archive, clerk, pupil, teacher } from '../fixtures/school.js'

const COUNT = 48
const quickly: RestartOptions = { maxRestarts: 5, backoff: { firstMs: 3 } }
const layout = { entries: [{ name: 'w', shape: [3], offset: 0, length: 3 }], total: 3 }

interface Snapshot {
  readonly state: TroupeState
  /** Events before it. */
  readonly events: number
}

interface School {
  readonly stage: TroupeOptions['stage']
  readonly journal?: Omit<TroupeJournal, 'save'>
  readonly virtual?: TroupeOptions['virtual']
  readonly resume?: TroupeState
  readonly place?: TroupeOptions['place']
  readonly onSnapshot?: (count: number, stop: () => void) => void
}

/** Plays the school to its end, or until it is stopped; keeps every snapshot. */
async function play(options: School) {
  const events: RunEvent[] = []
  const snapshots: Snapshot[] = []
  const abort = new AbortController()
  const store = createWeightStore(layout)
  const { onSnapshot, journal, ...given } = options
  const troupe = createTroupe({
    seed: 3,
    weights: store.handle,
    observe: (event) => events.push(event),
    signal: abort.signal,
    ...given,
    journal: {
      ...journal,
      save: (state) => {
        snapshots.push({ state: structuredClone(state), events: events.length })
        onSnapshot?.(snapshots.length, () => abort.abort(new Error('enough')))
      },
    },
  })
  const source = troupe.actor(numberSource, { config: { count: COUNT }, supervise: quickly })
  const pupils = troupe.actor(pupil, { config: {}, replicas: 2, supervise: quickly })
  const master = troupe.actor(teacher, { config: {}, supervise: quickly })
  const scribe = troupe.actor(clerk, { config: {}, supervise: quickly })
  const shelf = troupe.actor(archive, { config: {}, supervise: quickly })
  troupe.connect(source.outputs.numbers, pupils.inputs.numbers, { credits: 2 })
  troupe.connect(pupils.outputs.answers, master.inputs.answers, { credits: 3 })
  troupe.connect(master.outputs.marks, scribe.inputs.marks)
  troupe.connect(scribe.outputs.pages, shelf.inputs.pages)
  try {
    await troupe.start()
    await troupe.done
    const pages = await shelf.ask.kept()
    return { events, snapshots, pages, lesson: await master.ask.state(), weights: store.follow(new Float32Array(3)) }
  } catch (error) {
    if (!abort.signal.aborted) throw error
    return { events, snapshots, pages: [], lesson: undefined, weights: -1 }
  } finally {
    await troupe.stop().catch(() => {})
  }
}

const slow = {
  costs: {
    pupil: { distribution: 'uniform', minMs: 1, maxMs: 40 },
    teacher: { distribution: 'uniform', minMs: 2, maxMs: 5 },
  },
  links: { 'pupil->teacher': { distribution: 'uniform', minMs: 0, maxMs: 9 } },
} as const

const trace = (events: readonly RunEvent[]) => events.map((event) => JSON.stringify(event))
const numbers = (pages: readonly (readonly Answer[])[]) => pages.flat().map(({ n }) => n)
const all = Array.from({ length: COUNT }, (_, n) => n)

test('virtual: from each of its snapshots a run goes on exactly as one that was never stopped', async (t) => {
  const journal = { everyMs: 50 }
  const whole = await play({ stage: 'virtual', virtual: slow, journal })
  t.deepEqual(
    numbers(whole.pages).toSorted((a, b) => a - b),
    all,
  )
  t.true(whole.snapshots.length >= 6, `${whole.snapshots.length} snapshots`)
  for (const [i, snapshot] of whole.snapshots.entries()) {
    const rest = await play({ stage: 'virtual', virtual: slow, journal, resume: snapshot.state })
    t.deepEqual(trace(rest.events), trace(whole.events).slice(snapshot.events), `from snapshot ${i + 1}`)
    t.deepEqual(rest.pages, whole.pages)
    t.deepEqual([rest.lesson, rest.weights], [whole.lesson, whole.weights])
    t.deepEqual(
      rest.snapshots.map(({ state }) => state),
      whole.snapshots.slice(i + 1).map(({ state }) => state),
    )
  }
})

test('virtual: an actor that is being restarted when a snapshot is due is waited for', async (t) => {
  /** The teacher dies in three of its turns, once in each; some were before. */
  const failing = (before: number) => {
    const due = [9, 16, 30].slice(before)
    const turn = ({ actor, index }: { actor: string; index: number }) => {
      if (actor !== 'teacher' || index !== due[0]) return undefined
      due.shift()
      return 'during' as const
    }
    return { turn }
  }
  const journal = { everyMs: 20 }
  const whole = await play({ stage: 'virtual', virtual: { ...slow, faults: failing(0) }, journal })
  t.deepEqual(
    numbers(whole.pages).toSorted((a, b) => a - b),
    all,
  )
  const failures = (events: readonly RunEvent[]) =>
    events.filter((event) => event.type === 'state' && event.state === 'failed').length
  t.is(failures(whole.events), 3)
  for (const { state, events } of whole.snapshots) {
    const faults = failing(failures(whole.events.slice(0, events)))
    const rest = await play({ stage: 'virtual', virtual: { ...slow, faults }, journal, resume: state })
    t.deepEqual(trace(rest.events).map(withoutStack), trace(whole.events).slice(events).map(withoutStack))
    t.deepEqual(rest.pages, whole.pages)
  }
})

const withoutStack = (line: string) => line.replaceAll(/"stack":"[^"]*",?/g, '')

for (const [stage, place] of [
  ['inline', {}],
  ['threads', {}],
  ['threads', { teacher: 'process', pupil: 'process' }],
] as const)
  test.serial(
    `${stage} ${JSON.stringify(place)}: whatever snapshot a run goes on from, nothing is lost or doubled`,
    async (t) => {
      const journal = { everyMs: 1 }
      let resume: TroupeState | undefined
      const recorded: number[] = []
      let stops = 0
      for (let life = 1; ; life++) {
        const stopAfter = life % 2 === 0 ? 2 : 3
        const run = await play({
          stage,
          place,
          journal,
          ...(resume && { resume }),
          onSnapshot: (count, stop) => {
            if (life < 4 && count === stopAfter) stop()
          },
        })
        if (run.pages.length > 0) {
          recorded.push(...answers(run.events))
          t.deepEqual(
            recorded.toSorted((a, b) => a - b),
            all,
            'each answer was recorded once',
          )
          t.deepEqual(numbers(run.pages), recorded, 'and written down once, in that order')
          t.is(run.lesson?.heard, COUNT)
          t.is(run.lesson?.lesson, run.weights)
          break
        }
        stops++
        const last = run.snapshots.at(-1)!
        recorded.push(...answers(run.events.slice(0, last.events)))
        resume = last.state
      }
      t.true(stops >= 1, `${stops} stops`)
    },
  )

const answers = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'record' && event.kind === 'answer' ? [(event.value as Answer).n] : []))

test('a snapshot that cannot be kept is told of, and the run goes on', async (t) => {
  let saves = 0
  const whole = await play({
    stage: 'virtual',
    journal: { everyMs: 10 },
    onSnapshot: () => {
      if (++saves % 2 === 1) throw new Error('no space')
    },
  })
  t.deepEqual(
    numbers(whole.pages).toSorted((a, b) => a - b),
    all,
  )
  const told = whole.events.flatMap((event) => (event.type === 'log' && event.level === 'error' ? [event.message] : []))
  t.true(told.length >= 2)
  t.is(told[1], 'a snapshot was not kept (2 so far): no space; the one before stays')
})

test('a snapshot of another troupe is refused by name', async (t) => {
  const { snapshots } = await play({ stage: 'virtual', journal: { everyMs: 20 } })
  const { teacher: _, ...members } = snapshots[0]!.state.members
  await t.throwsAsync(play({ stage: 'virtual', resume: { ...snapshots[0]!.state, members } }), {
    code: 'E_JOURNAL',
    message: 'the snapshot is of number-source, pupil/0, pupil/1, clerk, archive',
  })
})

test('what a receiver has put away is not kept without what its sender had put away before it', (t) => {
  const channel = {
    id: 7,
    connection: 0,
    from: 'a',
    fromPort: 'out',
    to: 'b',
    toPort: 'in',
    window: 4,
    overflow: 'block' as const,
  }
  const members = (base: number, kept: number, acked: number, ended = false): TroupeState['members'] => {
    const none = { restarts: 0, tries: new Map(), aside: [], gone: false }
    const sender = { channel: 7, base, from: base, kept: Array(kept).fill('x'), cancelled: false }
    return {
      a: {
        ...none,
        state: {
          turns: 1,
          inputs: {},
          outputs: { out: { ended: false, connections: [{ backlog: [], senders: [sender] }] } },
        },
      },
      b: {
        ...none,
        state: { turns: 1, outputs: {}, inputs: { in: { ended, queue: [], receivers: [{ channel: 7, acked }] } } },
      },
    }
  }
  t.true(agree(channel, members(3, 2, 3)), 'nothing of what was sent is done')
  t.true(agree(channel, members(3, 2, 5)), 'all of it')
  t.false(agree(channel, members(3, 2, 6)), 'done, but not sent')
  t.false(agree(channel, members(3, 2, 2)), 'forgotten, but not done')
  t.true(agree(channel, members(3, 2, 9, true)), 'it wants no more')
  const { a, ...onlyReceiver } = members(0, 0, 1)
  t.false(agree(channel, onlyReceiver))
  t.true(agree(channel, { a: a! }))
})
