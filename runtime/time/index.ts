export { type Clock, realClock } from './clock.js'
export { type Random, seededRandom } from './random.js'
export { realScheduler, type Scheduler } from './scheduler.js'
