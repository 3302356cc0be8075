import { Traffic, type VirtualLinks, virtualPair } from '../channel/virtual-wire.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'
import { FifoLock } from '../kernel/lock.js'
import type { TurnBegun } from '../kernel/turn.js'
import { directReporter } from '../observe/reporter.js'
import { localWeights } from '../tensor/local-weights.js'
import type { WeightStore, WeightStoreHandle } from '../tensor/weights.js'
import { createCostModel, createLinkModel } from '../time/cost.js'
import type { CostsConfig, LinksConfig } from '../time/cost-config.js'
import { createVirtualTime, type VirtualTime } from '../time/virtual.js'
import { Cell } from './cell.js'
import type { Control } from './control.js'
import { controlByCopy, copied } from './inline.js'
import type { CellSpec, Host, HostSink, Stage } from './stage.js'
import { answeredBy, installStrayErrors } from './stray.js'
import { asTurnWork, withoutWaits, withoutWeightWaits } from './turn-work.js'

/** How an actor fails in a turn: before its work, in the middle of it, just after its result is out, or it never ends. */
export type TurnFault = 'before' | 'during' | 'after' | 'hang'

/** Failures that are put into a virtual run. */
export interface Faults {
  readonly turn?: ((turn: { actor: string; name: string; index: number }) => TurnFault | undefined) | undefined
  readonly tamper?: VirtualLinks['tamper']
  /** Default 50. */
  readonly repeatMs?: number | undefined
}

export interface VirtualOptions {
  readonly seed: number
  /** How long turns take; default 1 ms each. */
  readonly costs?: CostsConfig | undefined
  /** How long messages take; default no time. */
  readonly links?: LinksConfig | undefined
  readonly faults?: Faults | undefined
  readonly resume?: VirtualState | undefined
}

export interface VirtualStage extends Stage<Wire> {
  readonly time: VirtualTime
  /**
   * Lets nothing begin any more, and resolves when nothing works, is on its way or is not put away. What lives here now
   * does not go on.
   */
  pause(): Promise<void>
  /** Where the stage is: another one goes on there. */
  readonly state: VirtualState
}

export interface VirtualState {
  readonly now: number
  /** Frames that went from one actor to another so far, by `from->to`. */
  readonly sent: ReadonlyMap<string, number>
}

const REPEAT_MS = 50

/**
 * All actors in this thread, in virtual time: turns really compute, and their results, with everything that they do to the world,
 * come at the virtual moment at which they end. The same seed and configuration give the same run, to the bit.
 */
export function virtualStage(options: VirtualOptions): VirtualStage {
  const { seed, faults, resume } = options
  const time = createVirtualTime({ startAt: resume?.now ?? 0 })
  const costOf = createCostModel(options.costs ?? {}, seed)
  const latencyOf = createLinkModel(options.links ?? {}, seed)
  const traffic = new Traffic(resume?.sent)
  const links: VirtualLinks = {
    latencyMs: ({ from, to, index }) => latencyOf({ from, to, index }),
    tamper: faults?.tamper,
    repeatMs: faults?.tamper ? (faults.repeatMs ?? REPEAT_MS) : undefined,
  }
  const cells = new Map<string, Cell<Wire>>()
  const stores = new Map<WeightStoreHandle, WeightStore>()
  installStrayErrors()

  function openWeights(handle: WeightStoreHandle): WeightStore {
    const known = stores.get(handle) ?? localWeights(handle, time.clock)
    stores.set(handle, known)
    return known
  }

  function host(spec: CellSpec, definition: ActorDefinition, sink: HostSink): Host<Wire> {
    const { name, role } = spec
    const die = (what: string) => {
      cell.kill()
      sink.died(new TroupeError('E_HOST_DIED', `${name} was ended ${what}`, { where: name }))
    }
    const perform = <R>(turn: TurnBegun, index: number, work: () => R | Promise<R>): Promise<R> => {
      const ms = costOf({ actor: name, role, name: turn.name, index, attributes: turn.attributes ?? {} })
      const fault = faults?.turn?.({ actor: name, name: turn.name, index })
      const real = () => asTurnWork(work)
      return fault ? failing(time, ms, real, fault, die) : computing(time, ms, real)
    }
    const cell: Cell<Wire> = new Cell<Wire>(copied(spec), {
      clock: withoutWaits(time.clock, name),
      scheduler: time.scheduler,
      lock: new FifoLock(),
      reporter: directReporter(sink),
      definition: async () => definition,
      toWire: (end) => end,
      within: (work) => answeredBy(cell, work),
      perform,
      openWeights: (handle) => withoutWeightWaits(openWeights(handle), name),
    })
    cells.set(name, cell)
    return { control: held(controlByCopy(cell), time), kill: async () => cell.kill() }
  }

  async function pause(): Promise<void> {
    for (;;) {
      await Promise.all([...cells.values()].map((cell) => cell.pause()))
      await new Promise<void>((resolve) => time.scheduler.hop(resolve))
      if (traffic.underway === 0 && [...cells.values()].every(({ quiet }) => quiet)) return
      await traffic.none()
    }
  }

  return {
    sequential: true,
    time,
    host,
    pair: (from, to) => virtualPair(time, links, traffic, [from, to]),
    pause,
    get state() {
      return { now: time.clock.now(), sent: new Map(traffic.sent) }
    },
    close: async () => time.close(),
  }
}

/** The work is really done now, while time stands still; its result comes when the turn ends. */
function computing<R>(time: VirtualTime, ms: number, work: () => R | Promise<R>): Promise<R> {
  const place = time.reserve()
  return new Promise<R>((resolve, reject) => {
    const end = (settle: () => void) => void time.schedule(ms, settle, place)
    let result: R | Promise<R>
    try {
      result = work()
    } catch (error) {
      return end(() => reject(error))
    }
    if (!(result instanceof Promise)) return end(() => resolve(result))
    const release = time.hold()
    result
      .then(
        (value) => end(() => resolve(value)),
        (error) => end(() => reject(error)),
      )
      .finally(release)
  })
}

/** A turn in which its actor fails. */
function failing<R>(
  time: VirtualTime,
  ms: number,
  work: () => R | Promise<R>,
  fault: TurnFault,
  die: (what: string) => void,
): Promise<R> {
  const never = new Promise<never>(() => {})
  if (fault === 'hang') return never
  if (fault === 'before') {
    time.scheduler.hop(() => die('before a turn'))
    return never
  }
  if (fault === 'during') {
    void computing(time, ms / 2, work).then(
      () => die('in a turn'),
      () => die('in a turn'),
    )
    return never
  }
  const done = computing(time, ms, work)
  const after = () => time.scheduler.hop(() => time.scheduler.hop(() => die('after a turn')))
  done.then(after, after)
  return done
}

/** Time stands still while an actor starts, answers or stops: that is real work, and takes no virtual time. */
function held(control: Control<Wire>, time: VirtualTime): Control<Wire> {
  const holding = async <T>(call: () => Promise<T>): Promise<T> => {
    const release = time.hold()
    try {
      return await call()
    } finally {
      release()
    }
  }
  return {
    ...control,
    start: () => holding(() => control.start()),
    ask: (method, args) => holding(() => control.ask(method, args)),
    dispose: () => holding(() => control.dispose()),
  }
}
