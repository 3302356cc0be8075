import { MessageChannel } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { encodedWire } from '../../../runtime/channel/encoded-wire.js'
import { InlineBus } from '../../../runtime/channel/inline-wire.js'
import { portWire, type Wire } from '../../../runtime/channel/wire.js'
import { encode } from '../../../runtime/channel/wire-codec.js'
import type { ActorDefinition, RunEvent } from '../../../runtime/index.js'
import { createTroupe, realClock, realScheduler } from '../../../runtime/index.js'
import { FifoLock } from '../../../runtime/kernel/lock.js'
import { enter, runBook } from '../../../runtime/observe/book.js'
import { directReporter } from '../../../runtime/observe/reporter.js'
import { statusOf } from '../../../runtime/observe/status.js'
import { usageProbe } from '../../../runtime/observe/usage.js'
import { Cell } from '../../../runtime/placement/cell.js'
import { collector } from '../fixtures/numbers.js'
import { createTroupeIn, PLACES } from '../fixtures/places.js'
import { victim } from '../fixtures/victims.js'
import { socketPair } from './sockets.js'
import { answered, Hearing, specOf } from './support.js'

type Pair = (t: ExecutionContext) => Promise<readonly [Wire, Wire]> | readonly [Wire, Wire]
const inline: Pair = () => new InlineBus(realScheduler).pair()
const wires: Readonly<Record<string, Pair>> = {
  inline,
  port: () => {
    const { port1, port2 } = new MessageChannel()
    return [portWire(port1), portWire(port2)]
  },
  socket: socketPair,
  encoded: async (t) => (await inline(t)).map(encodedWire) as unknown as readonly [Wire, Wire],
}
const junk = [
  7,
  'data',
  {},
  { type: 'data', seq: -1, message: 1 },
  { type: 'batch', seq: 0, messages: [] },
  { type: 'x' },
]

for (const [name, pair] of Object.entries(wires))
  test(`${name}: what is no frame is dropped, counted in the log, seen in the status, and harms nobody`, async (t) => {
    const [near, far] = await pair(t)
    const heard = new Hearing()
    const cell: Cell<Wire> = new Cell<Wire>(
      { ...specOf(collector), config: { limit: 10 } },
      {
        ...{ clock: realClock, scheduler: realScheduler, lock: new FifoLock(), reporter: directReporter(heard) },
        definition: async () => collector as unknown as ActorDefinition,
        toWire: (end) => end,
        within: (work) => work(),
      },
    )
    await answered(cell.start())
    await answered(cell.wire({ inputs: [{ port: 'numbers', channel: 0, window: 4, end: near }], outputs: [] }))
    for (const each of junk) far.post(each as never)
    far.post({ type: 'data', seq: 0, message: 5 })
    far.post({ type: 'complete', seq: 1 })
    await heard.until(() => heard.isCompleted)
    t.deepEqual(await answered(cell.ask('seen', [])), [5])
    t.deepEqual(heard.failures, [])
    t.deepEqual(
      heard.lines,
      junk.map((_, i) => `warn: dropped a malformed frame at input "numbers" (${i + 1} so far)`),
    )
    const book = runBook()
    for (const event of heard.events) enter(book, event)
    const run = { scenario: 'x', seed: 1, stage: 'inline', backend: 'cpu', startedAt: 0 }
    const { actors } = statusOf(book, run, { at: 1, process: usageProbe()() })
    t.regex(actors[0]?.lastLog?.text ?? '', /malformed frame at input "numbers" \(6 so far\)/)
    await answered(cell.dispose())
    far.close()
  })

test.serial(
  'what an actor’s process tells its parent that is no report is dropped and counted; the troupe goes on',
  async (t) => {
    const lines: string[] = []
    const troupe = createTroupe({
      stage: 'threads',
      seed: 1,
      observe: (event: RunEvent) => event.type === 'log' && lines.push(event.message),
    })
    const actor = troupe.actor(victim, { config: {}, placement: 'process' })
    await troupe.start()
    const parcel = (plane: string, value: unknown) => ({ plane, body: encode(value, [], false).body })
    const reports = [
      undefined,
      'x',
      { type: 'events' },
      { type: 'events', sequence: 1, events: [{ type: 'span' }] },
      { type: 'commit', commit: {} },
    ]
    for (const report of reports) await actor.ask.tellParent(parcel('reports', report))
    await actor.ask.tellParent({ plane: 'reports', body: new Uint8Array([1, 2, 3]) })
    await actor.ask.tellParent({ plane: 'control', body: new Uint8Array(0) })
    await actor.ask.tellParent('not for us')
    t.is(typeof (await actor.ask.pid()), 'number')
    await troupe.stop()
    t.deepEqual(
      lines,
      Array.from({ length: reports.length + 2 }, (_, i) => `dropped a malformed report (${i + 1} so far)`),
    )
  },
)

for (const place of PLACES)
  test.serial(`${place}: an answer that cannot be encoded does not leave the caller waiting`, async (t) => {
    const troupe = createTroupeIn(place, { askDeadlineMs: 20_000 })
    const actor = troupe.actor(victim, { config: {} })
    await troupe.start()
    const error = await t.throwsAsync(async () => actor.ask.proxy())
    t.not((error as { code?: string }).code, 'E_DEADLINE')
    t.regex(`${error!.name} ${error!.message}`, /E_MESSAGE|cannot cross|could not be cloned/)
    t.is(await actor.ask.echo(3), 3, 'it is none the worse')
    await troupe.stop()
  })
