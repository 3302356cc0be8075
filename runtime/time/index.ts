export { type Clock, realClock } from './clock.js'
export { hop, keepAlive } from './hop.js'
export { type Random, seededRandom } from './random.js'
