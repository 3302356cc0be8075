export { InlineBus } from './inline-wire.js'
export { InputPort } from './input-port.js'
export { OutputPort } from './output-port.js'
export { portWire, type Wire } from './wire.js'
