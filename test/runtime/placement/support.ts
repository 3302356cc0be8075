import type { RunEvent, TroupeError } from '../../../runtime/index.js'
import { realClock } from '../../../runtime/index.js'
import type { ActorDefinition } from '../../../runtime/kernel/actor.js'
import { fromWire } from '../../../runtime/kernel/errors.js'
import type { Reply } from '../../../runtime/placement/control.js'
import type { CellSpec, HostSink } from '../../../runtime/placement/stage.js'
import type { WeightStoreHandle } from '../../../runtime/tensor/weights.js'

export const DEADLINE_MS = 60_000

export function specOf(
  { module, role }: Pick<ActorDefinition, 'module' | 'role'>,
  options: { config?: unknown; weights?: WeightStoreHandle; name?: string } = {},
): CellSpec {
  const { config = {}, weights, name = role } = options
  return { name, role, replica: 0, replicas: 1, module, config, seed: 1, weights, commits: false }
}

/** Hears what a host reports, and lets a test wait for it. */
export class Hearing implements HostSink {
  readonly events: RunEvent[] = []
  readonly deaths: TroupeError[] = []
  readonly failures: Error[] = []
  isCompleted = false
  #wake: (() => void)[] = []

  event(event: RunEvent): void {
    this.events.push(event)
    this.#changed()
  }

  completed(): void {
    this.isCompleted = true
    this.#changed()
  }

  failed(error: Parameters<HostSink['failed']>[0]): void {
    this.failures.push(fromWire(error))
    this.#changed()
  }

  taking(): void {}

  commit(): void {}

  died(error: Error): void {
    this.deaths.push(error as TroupeError)
    this.#changed()
  }

  get lines(): string[] {
    return this.events.flatMap((event) => (event.type === 'log' ? [`${event.level}: ${event.message}`] : []))
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const next = new Promise<void>((resolve) => this.#wake.push(resolve))
      await realClock.deadline(next, DEADLINE_MS, 'what the test waits for')
    }
  }

  #changed(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }
}

/** The answer of a call; a call that has none in time fails the test. */
export async function answered<T>(reply: Promise<Reply<T>>): Promise<T> {
  const answer = await realClock.deadline(reply, DEADLINE_MS, 'an answer')
  if (answer.ok) return answer.value
  throw fromWire(answer.error)
}

export async function refusal(reply: Promise<Reply<unknown>>): Promise<TroupeError> {
  const answer = await realClock.deadline(reply, DEADLINE_MS, 'an answer')
  if (answer.ok) throw new Error('it was not refused')
  return fromWire(answer.error) as TroupeError
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits until none of the processes is there. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  const poll = async () => {
    while (pids.some(isRunning)) await new Promise((resolve) => setImmediate(resolve))
  }
  await realClock.deadline(poll(), DEADLINE_MS, 'the end of the processes')
}
