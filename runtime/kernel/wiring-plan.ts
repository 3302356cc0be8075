import type { WiringPlan } from '../placement/control.js'
import type { Plan } from './plan.js'

interface Growing<H> {
  readonly inputs: { port: string; window: number; end: H }[]
  readonly outputs: { port: string; ends: H[] }[]
}

/** One wire from every sender replica to every receiver replica of each connection, given out to both. */
export function wiringPlans<M, H>(
  plan: Plan,
  replicas: (actor: string) => readonly M[],
  pair: () => readonly [H, H],
): ReadonlyMap<M, WiringPlan<H>> {
  const plans = new Map<M, Growing<H>>()
  const of = (member: M): Growing<H> => {
    const known = plans.get(member) ?? { inputs: [], outputs: [] }
    plans.set(member, known)
    return known
  }
  for (const { from, to, window } of plan.connections) {
    for (const sender of replicas(from.actor)) {
      const ends = replicas(to.actor).map((receiver) => {
        const [near, far] = pair()
        of(receiver).inputs.push({ port: to.port, window, end: far })
        return near
      })
      of(sender).outputs.push({ port: from.port, ends })
    }
  }
  return plans
}
