import { arch, availableParallelism, cpus, freemem, platform, totalmem } from 'node:os'
import { type BackendProbe, backends as known, probeBackend } from '../../runtime/tensor/index.js'
import { EXIT } from '../exit.js'
import { version } from '../version.js'

const GIB = 2 ** 30
/** Two models, the graphs compiled for them and the threads' heaps: what the scenarios' default models were seen to need. */
const WANTED_GIB = 3
const OLDEST_NODE = [20, 19] as const

/** What this machine offers. */
export interface Checkup {
  readonly troupe: string
  readonly node: { readonly version: string; readonly supported: boolean }
  readonly machine: { readonly platform: string; readonly cpu: string; readonly cores: number }
  readonly memory: { readonly totalGib: number; readonly freeGib: number }
  readonly backends: readonly BackendProbe[]
}

/** `troupe doctor`: exit code 1 where no backend or too old a Node makes runs impossible. */
export async function doctor(options: { json?: boolean }): Promise<number> {
  const checkup = await examine()
  process.stdout.write(options.json ? `${JSON.stringify(checkup, null, 2)}\n` : `${prescription(checkup)}\n`)
  return checkup.node.supported && checkup.backends.some((backend) => backend.usable) ? EXIT.done : EXIT.failed
}

async function examine(): Promise<Checkup> {
  const backends = await Promise.all(known.map(probeBackend))
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const supported = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  return {
    troupe: version(),
    node: { version: process.version, supported },
    machine: { platform: `${platform()} ${arch()}`, cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() },
    memory: { totalGib: totalmem() / GIB, freeGib: freemem() / GIB },
    backends,
  }
}

function prescription({ troupe, node, machine, memory, backends }: Checkup): string {
  const poor = memory.freeGib < WANTED_GIB ? ` (less than the ${WANTED_GIB} GiB that a run may take)` : ''
  return [
    `troupe      ${troupe}`,
    `node        ${node.version}${node.supported ? '' : ` (too old: Troupe needs ${OLDEST_NODE.join('.')} or newer)`}`,
    `machine     ${machine.platform}, ${machine.cpu}`,
    `cores       ${machine.cores}${machine.cores < 2 ? ' (actors take turns on one core)' : ''}`,
    `memory      ${memory.freeGib.toFixed(1)} GiB free of ${memory.totalGib.toFixed(1)}${poor}`,
    ...backends.map(
      ({ name, usable, detail, remedy }) =>
        `${name.padEnd(12)}${usable ? detail : `absent: ${detail}${remedy ? `. To get it: ${remedy}` : ''}`}`,
    ),
  ].join('\n')
}
