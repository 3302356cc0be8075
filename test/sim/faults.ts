import type { Passage } from '../../runtime/channel/virtual-wire.js'
import type { CommitFault, Faults, FaultyHost, TurnFault } from '../../runtime/placement/virtual-faults.js'
import { seededRandom } from '../../runtime/time/index.js'
import type { VirtualTime } from '../../runtime/time/virtual.js'
import { nodeOf } from './paths.js'
import type { World } from './world.js'

const TURN_FAULTS: readonly TurnFault[] = ['before', 'during', 'after', 'hang']
const COMMIT_FAULTS: readonly CommitFault[] = ['refuse', 'before', 'after']
const WORDS: Readonly<Record<string, string>> = {
  hang: 'host hangs',
  refuse: 'a commit is refused',
}
const LATE_MS = 200
const JUMP_MS = 1e7

/** The failures of one simulation, as its seed draws them. */
export function faultsOf(world: World, time: VirtualTime): Faults {
  const { plan, reached } = world
  const random = seededRandom(plan.seed, 'faults')
  const { rates } = plan
  const name = (fault: string, moment: string) => `fault: ${WORDS[fault] ?? `host ends ${fault} ${moment}`}`
  const jumps = new Map<string, number>()

  function later(host: FaultyHost): void {
    if (!random.chance(rates.kill)) return
    const afterMs = random.float() * plan.faultsUntilMs
    time.clock.after(
      afterMs,
      () => {
        if (world.started && world.isPresent(host) && world.fault(host.actor, 1)) {
          reached.add('fault: host ends by itself')
          host.die('at some moment')
        }
      },
      { weak: true },
    )
  }

  /** When the copies of a frame arrive. */
  function carry({ from, to }: Passage): readonly number[] {
    const lossy = [`${nodeOf(from)}->${nodeOf(to)}`, `${nodeOf(to)}->${nodeOf(from)}`]
    if (world.calm || !lossy.some((link) => plan.lossy?.has(link))) return [0]
    const drawn = random.float()
    if (drawn >= 0.4) return [0]
    reached.add(`fault: a frame is ${drawn < 0.1 ? 'lost' : drawn < 0.2 ? 'doubled' : 'late'}`)
    if (drawn < 0.1) return []
    return drawn < 0.2 ? [0, random.float() * LATE_MS] : [random.float() * LATE_MS]
  }

  return {
    hosted: (host) => {
      world.hosted(host)
      later(host)
    },
    turn: ({ actor }) => {
      if (!world.fault(actor, rates.turn)) return undefined
      const fault = random.pick(TURN_FAULTS)
      reached.add(name(fault, 'a turn'))
      return fault
    },
    commit: (actor, commit) => {
      const fault = world.fault(actor, rates.commit) ? random.pick(COMMIT_FAULTS) : undefined
      if (fault) reached.add(name(fault, 'a commit'))
      if (fault === undefined || fault === 'after') world.commits(actor, commit)
      return fault
    },
    skewMs: (actor) => {
      if (rates.skew > 0 && !world.calm && random.chance(rates.skew)) {
        jumps.set(actor, (random.float() - 0.5) * JUMP_MS)
        reached.add('fault: the clock jumps')
      }
      return jumps.get(actor) ?? 0
    },
    posted: (passage) => world.posts(passage),
    tamper:
      plan.lossy &&
      ((passage) => {
        const arrivals = carry(passage)
        if (arrivals.length > 0) world.arrives(passage)
        return arrivals
      }),
  }
}
