import { loadRxjsQuickly } from './quick-rxjs.js'

loadRxjsQuickly()
/** What the pool runs in each of its threads. */
export default (await import('./host.js')).default
