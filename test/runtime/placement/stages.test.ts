import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createTroupe, type RunEvent, realClock } from '../../../runtime/index.js'
import { threadHosts } from '../../../runtime/placement/threads.js'
import { dice, gambler, talker } from '../fixtures/chance.js'
import { faulty } from '../fixtures/faults.js'
import { collector } from '../fixtures/numbers.js'

const TIMES = new Set(['at', 'start', 'end', 'queuedAt'])
const withoutTimes = (event: RunEvent) => Object.fromEntries(Object.entries(event).filter(([key]) => !TIMES.has(key)))

async function play(seed: number): Promise<unknown[]> {
  const events: unknown[] = []
  const troupe = createTroupe({ stage: 'inline', seed, observe: (event) => events.push(withoutTimes(event)) })
  const source = troupe.actor(dice, { config: { count: 60 } })
  const players = troupe.actor(gambler, { config: {}, replicas: 3 })
  const sink = troupe.actor(collector, { config: {} })
  const bank = troupe.actor(collector, { config: { limit: 20 }, name: 'bank' })
  troupe.connect(source.outputs.throws, players.inputs.throws, { credits: 2 })
  troupe.connect(source.outputs.throws, bank.inputs.numbers)
  troupe.connect(players.outputs.bets, sink.inputs.numbers)
  await troupe.start()
  await troupe.done
  await troupe.stop()
  return events
}

test.serial('inline: the same seed gives the same sequence of events, another seed another', async (t) => {
  const [first, second, other] = [await play(5), await play(5), await play(6)]
  t.true(first.length > 400)
  t.deepEqual(first, second)
  t.notDeepEqual(first, other)
})

test.serial('threads: a host’s ports stay alive after its task has returned', async (t) => {
  const hosts = threadHosts(realClock, 1)
  const { module, role } = faulty
  const spec = { name: role, role, replica: 0, replicas: 1, module, config: { at: 'never' }, seed: 1, commits: false }
  const nothing = () => {}
  const sink = { event: nothing, completed: nothing, failed: nothing, died: nothing, taking: nothing, commit: nothing }
  const { control } = hosts.host(spec, sink)
  for (const step of [await control.start(), await control.halt(), await control.dispose()]) t.true(step.ok)
  for (let i = 0; i < 10; i++) t.deepEqual(await control.ask('add', [i, 1]), { ok: true, value: i + 1 })
  await hosts.close(10_000)
})

test.serial('threads: reports are never dropped, whoever is behind', async (t) => {
  const lines: number[] = []
  const troupe = createTroupe({
    stage: 'threads',
    seed: 1,
    observe: (event) => {
      if (event.type === 'record') lines.push((event.value as { id: number }).id)
    },
  })
  troupe.actor(talker, { config: { turns: 30, lines: 1000 } })
  await troupe.start()
  await troupe.done
  await troupe.stop()
  t.is(lines.length, 30_000)
  t.true(lines.every((id, i) => id === i))
})

const program = fileURLToPath(new URL('../fixtures/exits.js', import.meta.url))

for (const stage of ['inline', 'threads']) {
  for (const [ending, says] of [
    ['stopped', '50'],
    ['failed', 'E_ACTOR_FAILED'],
  ] as const) {
    test.serial(`${stage}: a program whose troupe has ${ending} exits by itself`, async (t) => {
      const child = spawn(process.execPath, [program, stage, ending], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
      t.deepEqual([output, code, signal], [says, 0, null])
    })
  }
}
