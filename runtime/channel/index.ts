export { InlineBus } from './inline-wire.js'
export { InputPort, type InputPortState } from './input-port.js'
export { OutputPort, type OutputPortState } from './output-port.js'
export { portWire, type Wire } from './wire.js'
