import test, { type ExecutionContext } from 'ava'
import { SocketHub } from '../../../runtime/channel/socket-hub.js'
import { realClock } from '../../../runtime/index.js'
import { type HostedProcess, processHosts, socketEnd } from '../../../runtime/placement/processes.js'
import { createWeightStore } from '../../../runtime/tensor/weight-store.js'
import { keeper, sender, summer, victim } from '../fixtures/victims.js'
import { answered, DEADLINE_MS, Hearing, isRunning, refusal, specOf, untilGone } from './support.js'

type Hosts = ReturnType<typeof processHosts>

async function withHosts(work: (hosts: Hosts) => Promise<void>): Promise<void> {
  const hub = new SocketHub({ clock: realClock })
  const hosts = processHosts(realClock, hub)
  try {
    await work(hosts)
  } finally {
    await hosts.close(DEADLINE_MS)
    await hub.close(DEADLINE_MS)
  }
}

async function started(hosts: Hosts, name?: string): Promise<{ host: HostedProcess; heard: Hearing; pid: number }> {
  const heard = new Hearing()
  const host = hosts.host(specOf(victim, name === undefined ? {} : { name }), heard)
  await answered(host.control.start())
  return { host, heard, pid: (await answered(host.control.ask('pid', []))) as number }
}

test.serial('a process starts, answers, halts, is disposed of and ends by itself', async (t) => {
  await withHosts(async (hosts) => {
    const { host, heard, pid } = await started(hosts)
    t.not(pid, process.pid)
    t.is(host.pid, pid)
    const array = new Float64Array([1, 2, 3]).subarray(1)
    const echoed = (await answered(host.control.ask('echo', [{ array, map: new Map([[1, 'a']]) }]))) as {
      array: Float64Array
    }
    t.deepEqual(echoed, { array: Float64Array.of(2, 3), map: new Map([[1, 'a']]) } as never)
    t.is(echoed.array.buffer.byteLength, 16, 'a tight copy')
    await answered(host.control.ping())
    await answered(host.control.halt())
    await answered(host.control.dispose())
    await untilGone([pid])
    t.deepEqual(heard.deaths, [])
    t.is((await refusal(host.control.ask('pid', []))).code, 'E_ACTOR_DOWN')
    t.deepEqual(
      heard.events.flatMap((event) => (event.type === 'state' ? [event.state] : [])),
      ['ready', 'stopped'],
    )
  })
})

async function dies(
  t: ExecutionContext,
  how: (host: HostedProcess, pid: number) => unknown,
  expected: { code: string; message: RegExp },
): Promise<void> {
  await withHosts(async (hosts) => {
    const { host, heard, pid } = await started(hosts, 'judge/1')
    const asked = refusal(host.control.ask('never', []))
    void how(host, pid)
    const error = await asked
    t.is(error.code, 'E_ACTOR_DOWN')
    await heard.until(() => heard.deaths.length > 0)
    const [death] = heard.deaths
    t.like(death, { code: expected.code, where: 'judge/1' })
    t.regex(death!.message, expected.message)
    t.truthy(death!.hint)
    t.is((error.cause as typeof error).code, death!.code)
    t.false(isRunning(pid))
  })
}

test.serial('a process that is killed from outside in the middle of an answer', (t) =>
  dies(t, (_, pid) => void process.kill(pid, 'SIGKILL'), {
    code: 'E_HOST_DIED',
    message: /judge\/1 was ended by SIGKILL/,
  }),
)

test.serial('a process whose native code aborts', (t) =>
  dies(t, (host) => host.control.ask('abort', []), { code: 'E_HOST_ABORTED', message: /native code \(SIGABRT\)/ }),
)

test.serial('a process whose memory is violated', (t) =>
  dies(t, (_, pid) => void process.kill(pid, 'SIGSEGV'), { code: 'E_HOST_ABORTED', message: /SIGSEGV/ }),
)

test.serial('a process whose actor exits', (t) =>
  dies(t, (host) => host.control.ask('exit', [7]), { code: 'E_HOST_DIED', message: /exited with code 7/ }),
)

test.serial('a process can be killed in the middle of whatever it does; that is no death to report', async (t) => {
  await withHosts(async (hosts) => {
    const { host, heard, pid } = await started(hosts)
    const asked = refusal(host.control.ask('spin', []))
    await host.kill(DEADLINE_MS)
    t.is((await asked).code, 'E_ACTOR_DOWN')
    t.false(isRunning(pid))
    t.deepEqual(heard.deaths, [])
  })
})

test.serial('what an actor writes to its streams goes to its log; errors that nobody caught are its own', async (t) => {
  await withHosts(async (hosts) => {
    const { host, heard } = await started(hosts)
    await answered(host.control.ask('say', ['one\n\ntwo']))
    await heard.until(() => heard.lines.length >= 4)
    t.deepEqual(heard.lines.toSorted(), ['info: one', 'info: two on stdout', 'warn: one', 'warn: two'])
    await answered(host.control.ask('reject', []))
    await heard.until(() => heard.failures.length > 0)
    t.is(heard.failures[0]?.message, 'nobody caught this')
  })
})

test.serial('what cannot cross is refused: shared memory in a configuration, or in an argument', async (t) => {
  await withHosts(async (hosts) => {
    const config = { probe: new SharedArrayBuffer(4) }
    const error = await refusal(hosts.host(specOf(victim, { config }), new Hearing()).control.start())
    t.is(error.code, 'E_ACTOR_DOWN')
    t.like(error.cause, { code: 'E_MESSAGE', message: 'the configuration of victim cannot cross to a process' })
    const { host } = await started(hosts)
    const refused = await refusal(host.control.ask('echo', [new SharedArrayBuffer(4)]))
    t.is(refused.code, 'E_MESSAGE')
    t.regex(refused.message, /^shared memory/)
  })
})

test.serial('actors in three processes are joined by wires of their own', async (t) => {
  await withHosts(async (hosts) => {
    const [count, length] = [200, 1000]
    const heard = [new Hearing(), new Hearing(), new Hearing()] as const
    const source = hosts.host(specOf(sender, { config: { count, length } }), heard[0])
    const middle = hosts.host(specOf(victim), heard[1])
    const sink = hosts.host(specOf(summer), heard[2])
    await Promise.all([source, middle, sink].map(({ control }) => answered(control.start())))
    const [first, second] = [socketEnd(middle.path), socketEnd(middle.path)]
    await Promise.all([
      answered(
        source.control.wire({
          inputs: [],
          outputs: [
            {
              port: 'numbers',
              overflow: 'block',
              window: 4,
              ends: [{ channel: 0, keep: false, outlived: false, end: first }],
            },
          ],
        }),
      ),
      answered(
        middle.control.wire({
          inputs: [{ port: 'numbers', channel: 0, window: 4, end: first }],
          outputs: [
            {
              port: 'doubled',
              overflow: 'block',
              window: 4,
              ends: [{ channel: 1, keep: false, outlived: false, end: second }],
            },
          ],
        }),
      ),
      answered(sink.control.wire({ inputs: [{ port: 'numbers', channel: 1, window: 4, end: second }], outputs: [] })),
    ])
    await heard[2].until(() => heard[2].isCompleted)
    const sums = await answered(sink.control.ask('sums', []))
    t.deepEqual(
      sums,
      Array.from({ length: count }, (_, i) => i * 2 * length),
    )
  })
})

const layout = { entries: [{ name: 'w', shape: [70_000], offset: 0, length: 70_000 }], total: 70_000 }
const versionOf = (version: number) =>
  Float32Array.from({ length: layout.total }, (_, i) => Math.fround(Math.sin(i) * version))

test.serial('weights are followed and published across processes, to the bit', async (t) => {
  await withHosts(async (hosts) => {
    const store = createWeightStore(layout)
    store.publish(3, versionOf(3))
    const [learner, follower] = ['learner', 'follower'].map((name) =>
      hosts.host(specOf(keeper, { name, weights: store.handle }), new Hearing()),
    ) as [HostedProcess, HostedProcess]
    for (const { control } of [learner, follower]) {
      await answered(control.start())
      t.is(await answered(control.ask('seenAtStart', [])), 3, 'what was there before it started is there')
    }
    store.publish(4, versionOf(4))
    t.deepEqual(await answered(follower.control.ask('read', [4])), { version: 4, flat: versionOf(4) })
    await answered(learner.control.ask('publish', [9, versionOf(9)]))
    t.is(store.version(), 9, 'it is here before the answer')
    const mine = new Float32Array(layout.total)
    t.is(store.follow(mine), 9)
    t.deepEqual(mine, versionOf(9))
    t.deepEqual(await answered(follower.control.ask('read', [9])), { version: 9, flat: versionOf(9) })
    for (let version = 10; version < 60; version++)
      await answered(learner.control.ask('publish', [version, versionOf(version)]))
    t.deepEqual(await answered(follower.control.ask('read', [59])), { version: 59, flat: versionOf(59) })
    t.is(store.version(), 59)
  })
})
