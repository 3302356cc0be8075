import type { ActorIdentity } from '../observe/events.js'
import type { VirtualStage, VirtualState } from '../placement/virtual.js'
import { openWeightStore } from '../tensor/weight-store.js'
import type { WeightStore } from '../tensor/weights.js'
import { realScheduler } from '../time/scheduler.js'
import { toWire } from './errors.js'
import type { MemberState } from './member.js'
import type { Run } from './run.js'
import type { Channel } from './wiring-plan.js'

/**
 * Where a troupe is: what every actor has put away, and what the troupe knows of them. A troupe of the same plan and
 * configuration goes on from it. As a structured clone can hold it.
 */
export interface TroupeState {
  readonly members: Readonly<Record<string, MemberState>>
  /** When each child of a supervisor was restarted of late. */
  readonly restarts: ReadonlyMap<string, readonly number[]>
  /** The newest published version; undefined before the first. */
  readonly weights: { readonly version: number; readonly flat: Float32Array } | undefined
  readonly virtual: VirtualState | undefined
}

export interface TroupeJournal {
  /**
   * Between two snapshots, by the troupe's clock; 0 or left out: none. In real time there is another one when the troupe is
   * stopped before it finished. In virtual time a snapshot is a part of the run: actors finish what they are doing, and all
   * go on in a new life, as they do where the run is resumed.
   */
  readonly everyMs?: number | undefined
  /**
   * Keeps a snapshot, which must be copied before this returns. Not called again before the promise has settled; when it
   * rejects, that is logged and the run goes on.
   */
  readonly save: (state: TroupeState) => Promise<void> | void
}

const RUN: ActorIdentity = { name: 'run', role: 'run', replica: 0 }
/** Looks at what has been put away before a snapshot waits for its next time. */
const MAX_LOOKS = 1000

/** Takes the snapshots of a run. */
export class Snapshots {
  readonly #run: Run<never>
  readonly #journal: TroupeJournal
  readonly #virtual: VirtualStage | undefined
  #since: number
  #cancel = () => {}
  #saving: Promise<void> = Promise.resolve()
  #failed = 0
  #pausing = false
  #ended = false

  constructor(run: Run<never>, journal: TroupeJournal, virtual: VirtualStage | undefined) {
    this.#run = run
    this.#journal = journal
    this.#virtual = virtual
    this.#since = run.options.clock.now()
  }

  /** Begins to take snapshots by the clock. */
  begin(): void {
    const { everyMs = 0 } = this.#journal
    if (this.#virtual || everyMs <= 0 || this.#ended) return
    this.#cancel = this.#run.options.clock.after(everyMs, () => {
      this.#save().then(() => this.begin())
    })
  }

  /** A turn of some actor has ended. */
  turn(): void {
    const { everyMs = 0 } = this.#journal
    const stage = this.#virtual
    if (!stage || everyMs <= 0 || this.#pausing || stage.time.clock.now() - this.#since < everyMs) return
    this.#pausing = true
    stage.time.scheduler.hop(() => void this.#pause(stage))
  }

  /** The run has been stopped before it finished. In virtual time it goes on from where it was last paused. */
  async last(): Promise<void> {
    this.end()
    await this.#saving
    if (!this.#virtual && !this.#run.completed) await this.#save()
  }

  end(): void {
    this.#cancel()
    this.#cancel = () => {}
    this.#ended = true
  }

  async #pause(stage: VirtualStage): Promise<void> {
    const run = this.#run
    for (;;) {
      await stage.pause()
      if (run.stopping || run.completed) return
      if (run.settled) break
      await stage.time.clock.sleep(1) // somebody is being restarted
    }
    const release = stage.time.hold()
    await run.renew(() => this.#save())
    this.#since = stage.time.clock.now()
    this.#pausing = false
    release()
  }

  #save(): Promise<void> {
    this.#saving = this.#saved()
    return this.#saving
  }

  async #saved(): Promise<void> {
    try {
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        const state = this.#state()
        if (state) return await this.#journal.save(state)
        await new Promise<void>((resolve) => realScheduler.hop(resolve))
      }
    } catch (error) {
      const { clock } = this.#run.options
      const message = `a snapshot was not kept (${++this.#failed} so far): ${toWire(error).message}; the one before stays`
      this.#run.observe({ type: 'log', actor: RUN, at: clock.now(), level: 'error', message })
    }
  }

  #state(): TroupeState | undefined {
    const { options, members: all, channels, supervision } = this.#run
    const members = Object.fromEntries(all.map(({ name, snapshot }) => [name, snapshot]))
    if (!channels.every((channel) => agree(channel, members))) return undefined
    const weights = options.weights && newest(openWeightStore(options.weights))
    return { members, restarts: supervision.history, weights, virtual: this.#virtual?.state }
  }
}

/**
 * Whether what both ends of a channel have put away fits together. Two threads report by different ports, and what the
 * receiver has put away may be heard of before what its sender had put away earlier: a moment later it fits.
 */
export function agree({ id, from, fromPort, to, toPort }: Channel, members: TroupeState['members']): boolean {
  const input = members[to]?.state?.inputs[toPort]
  if (input?.ended || members[from]?.gone || members[to]?.gone) return true
  const connections = members[from]?.state?.outputs[fromPort]?.connections ?? []
  const sender = connections.flatMap(({ senders }) => senders).find(({ channel }) => channel === id)
  if (sender?.cancelled) return true
  const done = input?.receivers.find(({ channel }) => channel === id)?.acked ?? 0
  const { base, kept, end } = sender ?? { base: 0, kept: [], end: undefined }
  return base <= done && done <= base + kept.length + (end ? 1 : 0)
}

function newest(store: WeightStore): TroupeState['weights'] {
  if (store.version() < 0) return undefined
  const flat = new Float32Array(store.layout.total)
  return { version: store.follow(flat), flat }
}
