import { Traffic, type VirtualLinks, virtualPair } from '../channel/virtual-wire.js'
import type { Wire } from '../channel/wire.js'
import type { ActorDefinition } from '../kernel/actor.js'
import { FifoLock } from '../kernel/lock.js'
import { directReporter } from '../observe/reporter.js'
import { localWeights } from '../tensor/local-weights.js'
import type { WeightStore, WeightStoreHandle } from '../tensor/weights.js'
import { createCosts, createLinkModel } from '../time/cost.js'
import type { CostsConfig, LinksConfig } from '../time/cost-config.js'
import { createVirtualTime, type VirtualTime } from '../time/virtual.js'
import { Cell } from './cell.js'
import type { Control } from './control.js'
import { controlByCopy, copied } from './inline.js'
import type { CellPlace } from './place.js'
import type { CellSpec, Host, HostSink, Stage } from './stage.js'
import { answeredBy, installStrayErrors } from './stray.js'
import { withoutWaits, withoutWeightWaits } from './turn-work.js'
import { type Faults, FaultyLife } from './virtual-faults.js'

export interface VirtualOptions {
  readonly seed: number
  /** How long turns take; default 1 ms each. */
  readonly costs?: CostsConfig | undefined
  /** How long messages take; default no time. */
  readonly links?: LinksConfig | undefined
  readonly faults?: Faults | undefined
  readonly resume?: VirtualState | undefined
  /** What moves the run; default: a time of its own. */
  readonly time?: VirtualTime | undefined
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

/** How long an actor's turns of one name take. */
interface TurnCost {
  readonly turn: string
  readonly length: ReturnType<ReturnType<typeof createCosts>>
}

/**
 * All actors in this thread, in virtual time: turns really compute, and their results, with everything that they do to the world,
 * come at the virtual moment at which they end. The same seed and configuration give the same run, to the bit.
 */
export function virtualStage(options: VirtualOptions): VirtualStage {
  const { seed, faults = {}, resume } = options
  const time = options.time ?? createVirtualTime({ startAt: resume?.now ?? 0 })
  const costsOf = createCosts(options.costs ?? {}, seed)
  const latencyOf = createLinkModel(options.links ?? {}, seed)
  const traffic = new Traffic(resume?.sent)
  const links: VirtualLinks = {
    latencyMs: ({ from, to, index }) => latencyOf({ from, to, index }),
    posted: faults.posted,
    tamper: faults.tamper,
    repeatMs: faults.tamper ? (faults.repeatMs ?? REPEAT_MS) : undefined,
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
    const life = new FaultyLife(name, time, faults, (error) => {
      cell.kill()
      sink.died(error)
    })
    const costs = new Map<string, TurnCost>()
    let latest: TurnCost | undefined
    const costOf = (turn: string) => {
      const known = costs.get(turn) ?? { turn, length: costsOf({ actor: name, role, name: turn }) }
      costs.set(turn, known)
      return known
    }
    const perform: NonNullable<CellPlace<Wire>['perform']> = (turn, index, work, item, outcome) => {
      if (latest?.turn !== turn.name) latest = costOf(turn.name)
      life.perform(turn.name, index, latest.length(index, turn.attributes), work, item, outcome)
    }
    const cell: Cell<Wire> = new Cell<Wire>(copied(spec), {
      clock: withoutWaits(life.clock(time.clock), name),
      scheduler: time.scheduler,
      lock: new FifoLock(),
      reporter: life.reporting(directReporter(sink)),
      definition: async () => definition,
      toWire: (end) => end,
      within: (work) => answeredBy(cell, work),
      perform,
      openWeights: (handle) => withoutWeightWaits(openWeights(handle), name),
    })
    cells.set(name, cell)
    faults.hosted?.(life)
    return {
      control: life.control(held(controlByCopy(cell), time)),
      kill: async () => {
        life.end()
        cell.kill()
      },
    }
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
