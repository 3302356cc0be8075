import type { Overflow } from '../channel/index.js'
import type { WiringPlan } from '../placement/control.js'
import type { Plan } from './plan.js'

/** One sender replica joined with one receiver replica. */
export interface Channel {
  readonly id: number
  /** Index of its connection among those of the plan. */
  readonly connection: number
  readonly from: string
  readonly fromPort: string
  readonly to: string
  readonly toPort: string
  readonly window: number
  readonly overflow: Overflow
}

/** Whether a receiver may be restarted, and whether its siblings may have to go on without it. */
export interface Prospects {
  readonly keep: boolean
  readonly outlived: boolean
}

/** The channels of a plan, from every sender replica to every receiver replica of each connection. */
export function channelsOf(plan: Plan, replicas: (actor: string) => readonly string[]): Channel[] {
  const channels: Channel[] = []
  plan.connections.forEach(({ from, to, window, overflow }, connection) => {
    for (const sender of replicas(from.actor))
      for (const receiver of replicas(to.actor))
        channels.push({
          id: channels.length,
          connection,
          from: sender,
          fromPort: from.port,
          to: receiver,
          toPort: to.port,
          window,
          overflow,
        })
  })
  return channels
}

/** What an actor is told of its channels; `endOf` gives it its end, or none while the other side is not there. */
export function wiringPlanOf<H>(
  member: string,
  channels: readonly Channel[],
  endOf: (channel: Channel) => H | undefined,
  prospects: (receiver: string) => Prospects,
): WiringPlan<H> {
  const inputs = channels
    .filter(({ to }) => to === member)
    .map((channel) => ({
      port: channel.toPort,
      channel: channel.id,
      window: channel.window,
      end: endOf(channel),
    }))
  type Output = WiringPlan<H>['outputs'][number]
  const connections = new Map<number, Output & { readonly ends: Output['ends'][number][] }>()
  for (const channel of channels) {
    if (channel.from !== member) continue
    const known = connections.get(channel.connection) ?? {
      port: channel.fromPort,
      overflow: channel.overflow,
      window: channel.window,
      ends: [],
    }
    connections.set(channel.connection, known)
    known.ends.push({ channel: channel.id, ...prospects(channel.to), end: endOf(channel) })
  }
  return { inputs, outputs: [...connections.values()] }
}
