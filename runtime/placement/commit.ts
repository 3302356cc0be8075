import type { ConnectionState } from '../channel/connection.js'
import type { InputPortState, OutputPortState } from '../channel/index.js'
import type { SenderState } from '../channel/sender.js'
import type { RunEvent } from '../observe/events.js'

/**
 * What an actor has done since the last time, put away at a moment at which it was idle: only then do its outputs, its
 * acknowledgements and its records leave. So a restarted actor goes on from its last commit without loss and without
 * doing anything twice, and the last commits of all actors are, at any moment, a consistent snapshot of the run: a
 * message that somebody has done was put away by its sender before it left.
 */
export interface CellCommit extends CellState {
  /** Records and metrics that leave with it. */
  readonly events: readonly RunEvent[]
}

/** An actor as it is put away. In a commit, outputs hold only what has come since the one before. */
export interface CellState {
  /** Turns done, over all lives of the actor. */
  readonly turns: number
  /** What the role's `snapshot()` gave. */
  readonly role?: unknown
  readonly inputs: Readonly<Record<string, InputPortState>>
  readonly outputs: Readonly<Record<string, OutputPortState>>
}

/** A commit laid over the state before it. */
export function merge(before: CellState | undefined, { events: _, ...commit }: CellCommit): CellState {
  if (!before) return commit
  const outputs = Object.entries(commit.outputs).map(([port, { ended, connections }]) => {
    const known = before.outputs[port]?.connections ?? []
    return [port, { ended, connections: connections.map((each, i) => mergeConnection(known[i], each)) }] as const
  })
  return { ...commit, outputs: Object.fromEntries(outputs) }
}

function mergeConnection(before: ConnectionState | undefined, after: ConnectionState): ConnectionState {
  const known = new Map((before?.senders ?? []).map((sender) => [sender.channel, sender]))
  return { ...after, senders: after.senders.map((sender) => mergeSender(known.get(sender.channel), sender)) }
}

function mergeSender(before: SenderState | undefined, after: SenderState): SenderState {
  if (after.cancelled) return { ...after, from: after.base, kept: [] }
  const still = before ? before.kept.slice(Math.max(0, after.base - before.base), after.from - before.base) : []
  return { ...after, from: after.base, kept: [...still, ...after.kept] }
}
