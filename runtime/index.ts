export {
  type ActorContext,
  type ActorDefinition,
  type Api,
  defineActor,
  type Port,
  type Ports,
  port,
  type RunningActor,
  type Turn,
  type TurnOptions,
} from './kernel/actor.js'
export { TroupeError, type TroupeErrorCode, type WireError } from './kernel/errors.js'
export type { ConnectOptions, Placement, RestartOptions, SupervisorOptions } from './kernel/plan.js'
export type { ActorRef, InputRef, OutputRef } from './kernel/refs.js'
export { createTroupe, type Troupe, type TroupeJournal, type TroupeOptions, type TroupeState } from './kernel/troupe.js'
export type { ActorIdentity, RunEvent } from './observe/events.js'
export type { Faults } from './placement/virtual-faults.js'
export { type Clock, type Random, realClock, realScheduler, type Scheduler, seededRandom } from './time/index.js'
