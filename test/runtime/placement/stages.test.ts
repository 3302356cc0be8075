import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { createTroupe, type RunEvent, realClock } from '../../../runtime/index.js'
import { threadHosts } from '../../../runtime/placement/threads.js'
import { dice, gambler, talker } from '../fixtures/chance.js'
import { faulty } from '../fixtures/faults.js'
import { collector } from '../fixtures/numbers.js'
import { PLACES } from '../fixtures/places.js'

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

/** What the program prints, and how it ends; one that does not end is ended, and that is a failure. */
async function ends(t: ExecutionContext, place: string, ending: string): Promise<string> {
  const child = spawn(process.execPath, [program, place, ending], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  })
  const [output, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  t.deepEqual([code, signal], [0, null], output)
  return output
}

for (const place of PLACES) {
  test.serial(`${place}: a program whose troupe has stopped, or failed, exits by itself`, async (t) => {
    t.is(await ends(t, place, 'stopped'), '50')
    t.is(await ends(t, place, 'failed'), 'E_ACTOR_FAILED')
  })

  test.serial(`${place}: one that waits to be restarted holds neither the stop nor the program`, async (t) => {
    t.is(await ends(t, place, 'waiting'), 'fine; E_STOPPED')
  })

  test.serial(`${place}: a turn that does not end is told, by name, and the program exits`, async (t) => {
    t.is(await ends(t, place, 'hanging'), 'E_DEADLINE halting guided did not finish within 200 ms')
  })
}

for (const place of ['threads', 'processes'] as const)
  test.serial(`${place}: one that never gives way is told and ended`, async (t) => {
    t.is(await ends(t, place, 'spinning'), 'E_DEADLINE halting victim did not finish within 1000 ms; E_ACTOR_DOWN')
  })

test.serial('threads: one that does not leave native code is not ended, and is told', async (t) => {
  t.is(
    await ends(t, 'threads', 'native'),
    'E_DEADLINE the thread of native-sleeper did not leave native code within 500 ms',
  )
})
