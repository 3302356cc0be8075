import { checkCrossing } from '../channel/crossing.js'
import { throughCodec } from '../channel/encoded-wire.js'
import type { ActorContext, Turn } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'
import type { RunEvent } from '../observe/events.js'
import type { WeightStore } from '../tensor/weights.js'
import type { Clock } from '../time/clock.js'
import { seededRandom } from '../time/random.js'
import type { CellSpec } from './stage.js'

export interface ContextParts {
  readonly spec: CellSpec
  readonly clock: Clock
  readonly turn: Turn
  readonly signal: AbortSignal
  readonly weights: WeightStore | undefined
  readonly emit: (event: RunEvent) => void
}

/** What an actor is given at its start. */
export function createContext({ spec, clock, turn, signal, weights, emit }: ContextParts): ActorContext<unknown> {
  const { name, role, replica, replicas } = spec
  const stamp = () => ({ actor: { name, role, replica }, at: clock.now() })
  return {
    self: { name, role, replica, replicas },
    config: spec.remote ? throughCodec(spec.config) : spec.config,
    random: seededRandom(spec.seed, role),
    clock,
    turn,
    signal,
    get weights() {
      if (weights) return weights
      throw new TroupeError('E_CONFIG', 'the troupe has no shared weights', {
        where: name,
        hint: 'Pass `weights` to createTroupe',
      })
    },
    log: (level, message) => emit({ type: 'log', ...stamp(), level, message }),
    metric: (metric, value, attributes) =>
      emit({ type: 'metric', ...stamp(), name: metric, value, ...(attributes ? { attributes } : {}) }),
    progress: (phase, done, total, unit) => emit({ type: 'progress', ...stamp(), phase, done, total, unit }),
    record: (kind, value) => {
      checkCrossing(value, `${name}, record "${kind}"`)
      emit({ type: 'record', ...stamp(), kind, value: spec.remote ? throughCodec(value) : structuredClone(value) })
    },
  }
}
