import { parseArgs } from 'node:util'
import { type Placement, TroupeError } from '../runtime/index.js'
import { soak } from './soak/soak.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    every: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    placement: { type: 'string', default: 'thread' },
  },
})

function positive(name: 'minutes' | 'every' | 'seed'): number {
  const value = Number(values[name])
  if (Number.isFinite(value) && value > 0) return value
  throw new TroupeError('E_CONFIG', `--${name} must be a number above 0, not "${values[name]}"`, { where: name })
}

if (values.placement !== 'thread' && values.placement !== 'process')
  throw new TroupeError('E_CONFIG', `--placement must be thread or process, not "${values.placement}"`)

const report = await soak({
  minutes: positive('minutes'),
  every: positive('every'),
  seed: positive('seed'),
  placement: values.placement satisfies Placement,
  log: (line) => process.stderr.write(`${line}\n`),
})
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
process.exitCode = report.isSound ? 0 : 1
