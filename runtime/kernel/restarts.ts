import { TroupeError, toWire } from './errors.js'
import { actorFailed } from './failures.js'
import type { Member } from './member.js'
import type { Run } from './run.js'

/** Errors that starting anew would not mend: of what was given, and a budget that it would only begin again. */
const FINAL = ['E_CONFIG', 'E_CHECKPOINT', 'E_INVARIANT', 'E_BUDGET']

/** Carries out what supervision decides: after a failure, some actors are stopped and begin a new life. */
export class Restarts<H> {
  readonly #run: Run<H>
  /** A member's latest restart: an earlier one that is still under way leaves it alone. */
  readonly #latest = new Map<string, symbol>()

  readonly #waits = new Set<() => void>()

  constructor(run: Run<H>) {
    this.#run = run
  }

  /** @param ownWill its place ended without an error */
  failed(member: Member<H>, error: Error, ownWill = false): void {
    const run = this.#run
    const failure = actorFailed(member.name, error)
    member.down('failed', failure)
    if (run.stopping) return void run.end(failure)
    if (member.suspect()) this.#run.log(member, 'a message has ended it three times and is set aside')
    const retry = !(error instanceof TroupeError && FINAL.includes(error.code))
    const decision = run.supervision.failed(member.name, run.options.clock.now(), { ownWill, retry })
    if (decision.kind === 'fail') {
      run.end(decision.exhausted === member.name && member.restarts === 0 ? failure : exhausted(member, failure))
      void run.stop().catch(() => {})
      return
    }
    const gone = decision.kind === 'gone' ? decision.members : decision.gone
    for (const name of gone) void this.#giveUp(run.member(name))
    if (decision.kind === 'restart') void this.#restart(decision.members, decision.delayMs, failure)
  }

  /** Nothing is restarted any more. */
  stop(): void {
    for (const cancel of this.#waits) cancel()
    this.#waits.clear()
  }

  #backOff(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#run.options.clock.after(delayMs, () => {
        this.#waits.delete(cancel)
        resolve()
      })
      this.#waits.add(cancel)
    })
  }

  async #giveUp(member: Member<H>): Promise<void> {
    this.#latest.set(member.name, Symbol(member.name))
    this.#run.log(member, 'it is not restarted; the others go on')
    this.#run.abandon(member)
    await this.#end(member)
  }

  async #restart(names: readonly string[], delayMs: number, cause: TroupeError): Promise<void> {
    const run = this.#run
    const { clock } = run.options
    const mine = Symbol(names.join())
    const members = names.map((name) => run.member(name)).filter(({ life }) => life !== 'gone')
    for (const member of members) this.#latest.set(member.name, mine)
    const still = (member: Member<H>) => !run.stopping && this.#latest.get(member.name) === mine
    for (const member of members.toReversed()) if (still(member)) await this.#stop(member)
    for (const member of members) {
      if (!still(member)) continue
      member.restarts++
      const { identity: actor, restarts } = member
      run.observe({ type: 'state', actor, at: clock.now(), state: 'restarting', restarts, error: toWire(cause) })
    }
    if (run.stopping) return
    if (delayMs > 0) await this.#backOff(delayMs)
    for (const member of members) {
      if (!still(member)) continue
      try {
        run.host(member)
        await run.startOne(member)
        if (still(member)) await run.connect(member)
      } catch (error) {
        // The others go on unless what is decided now concerns them, too.
        if (still(member)) this.failed(member, error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  /** From now on nothing is heard of its present life. */
  async #stop(member: Member<H>): Promise<void> {
    const wasLost = member.lost
    member.lives++
    member.down('failed')
    member.become('restarting')
    if (!wasLost) await this.#end(member)
  }

  async #end(member: Member<H>): Promise<void> {
    const run = this.#run
    const { host } = member
    await run.retire(member, (error) => run.log(member, `raised while it was stopped: ${toWire(error).message}`))
    if (!member.lost) return
    await host
      .kill(run.options.stopDeadlineMs)
      .catch((error) => run.log(member, `its place cannot be ended: ${toWire(error).message}`))
  }
}

function exhausted(member: Member<never> | { name: string; restarts: number }, cause: TroupeError): TroupeError {
  const { name, restarts } = member
  return new TroupeError('E_RESTARTS', `${name} failed again after ${restarts} restarts: ${cause.message}`, {
    where: name,
    hint: 'The log has every failure; maxRestarts and withinMs say how many are borne',
    cause,
  })
}
