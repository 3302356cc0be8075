import type { RestartOptions, SupervisorOptions } from '../../runtime/index.js'
import type { Random } from '../../runtime/time/index.js'
import { seededRandom } from '../../runtime/time/index.js'

export type Kind =
  | 'source'
  | 'worker'
  | 'looper'
  | 'judge'
  | 'splitter'
  | 'merger'
  | 'sampler'
  | 'learner'
  | 'collector'

export interface SimNode {
  readonly name: string
  readonly kind: Kind
  readonly replicas: number
  /** Items of a source. */
  readonly count: number
  readonly under?: string | undefined
  readonly supervise: RestartOptions
}

export interface SimEdge {
  readonly from: string
  readonly to: string
  readonly credits: number
}

/**
 * What is asked of a run. `lively`: however often actors die, all is done once. `exhaust`: one dies more often than is borne, and the
 * run fails of that. `start`: one cannot start. `temporary`: a replica that is not restarted leaves its work to its siblings.
 * `stop`: the run is stopped in the middle.
 */
export type Mode = 'lively' | 'exhaust' | 'start' | 'temporary' | 'stop'

/** Everything about a run that its seed decides before it begins. */
export interface SimPlan {
  readonly seed: number
  readonly mode: Mode
  readonly nodes: readonly SimNode[]
  readonly edges: readonly SimEdge[]
  readonly supervisors: readonly SupervisorOptions[]
  /** Parts that a splitter makes of an item. */
  readonly parts: number
  /** Of a learner: items to a version, and by how many versions a sampler may be behind. */
  readonly publishEvery: number
  readonly bound: number
  /** Links that lose, double, delay and reorder, as `from->to`; undefined where all are honest. */
  readonly lossy: ReadonlySet<string> | undefined
  readonly meanMs: number
  readonly linkMs: number
  /** How likely a turn, a commit, a start or a snapshot goes wrong; a host ends by itself; the clock jumps. */
  readonly rates: Readonly<Record<'turn' | 'commit' | 'start' | 'snapshot' | 'kill' | 'throw' | 'skew', number>>
  /** Faults stop after so many, and after this time. */
  readonly maxFaults: number
  readonly faultsUntilMs: number
  /** Items that end whoever is named at each try. */
  readonly poison: readonly { readonly node: string; readonly id: number }[]
  /** Of `exhaust`, `start` and `temporary`. */
  readonly victim: string | undefined
  readonly stopAtMs: number | undefined
}

const MAX_NODES = 9
const STRATEGIES = ['one-for-one', 'one-for-all', 'rest-for-one'] as const

/** Draws a run. */
export function drawPlan(seed: number): SimPlan {
  const random = seededRandom(seed, 'plan')
  const mode = drawMode(random)
  const { kinds, edges, inLoop } = drawShape(random, mode)
  const supervisors = mode === 'lively' || mode === 'stop' ? drawSupervisors(random) : []
  const drawn = kinds.map(([name, kind], i) => drawNode(random, { name, kind, alone: i <= inLoop }, mode, supervisors))
  const victims = drawn.filter(({ kind }) => kind !== 'source')
  const poison =
    mode === 'lively' && random.chance(0.3) ? [{ node: random.pick(victims).name, id: random.int(12) }] : []
  const nodes = drawn.map((node) => (node.name === poison[0]?.node ? bearing(node) : node))
  const middle = nodes.filter(({ kind }) => kind !== 'source' && kind !== 'collector')
  const spread = middle.filter(({ replicas }) => replicas > 1)
  const victim = mode === 'temporary' ? spread[0] : random.pick(mode === 'start' ? nodes : middle)
  const faulty = mode === 'lively' || mode === 'stop'
  const rate = (most: number) => (faulty && random.chance(0.6) ? random.float() * most : 0)
  const lossy = faulty && random.chance(0.4)
  return {
    seed,
    mode,
    nodes: mode === 'temporary' ? nodes.map((node) => ({ ...node, supervise: temporary(node === victim) })) : nodes,
    edges,
    supervisors,
    parts: 2 + random.int(3),
    publishEvery: 1 + random.int(4),
    bound: random.int(3),
    lossy: lossy ? new Set(edges.filter(() => random.chance(0.7)).map(({ from, to }) => `${from}->${to}`)) : undefined,
    meanMs: random.pick([0, 1, 5, 20]),
    linkMs: random.pick([0, 0, 1, 10]),
    rates: {
      turn: rate(0.08),
      commit: rate(0.05),
      start: rate(0.3),
      snapshot: rate(0.03),
      kill: rate(0.6),
      throw: rate(0.05),
      skew: rate(0.2),
    },
    maxFaults: 2 + random.int(24),
    faultsUntilMs: 200 + random.int(3000),
    poison,
    victim: faulty ? undefined : victim?.name,
    stopAtMs: mode === 'stop' ? random.int(400) : undefined,
  }
}

function drawMode(random: Random): Mode {
  const drawn = random.float()
  if (drawn < 0.78) return 'lively'
  if (drawn < 0.84) return 'exhaust'
  if (drawn < 0.88) return 'start'
  return drawn < 0.95 ? 'temporary' : 'stop'
}

function drawShape(random: Random, mode: Mode) {
  const kinds: [string, Kind][] = []
  const edges: SimEdge[] = []
  const counts = new Map<Kind, number>()
  const add = (kind: Kind, ...from: readonly string[]): string => {
    const number = counts.get(kind) ?? 0
    counts.set(kind, number + 1)
    const name = `${kind}${number}`
    kinds.push([name, kind])
    for (const each of from) edges.push({ from: each, to: name, credits: 1 + random.int(16) })
    return name
  }
  const looped = mode !== 'temporary' && random.chance(0.35)
  let front: string[] = []
  if (looped) {
    let last = add('source')
    if (random.chance(0.4)) last = add('looper', last)
    last = add('sampler', last)
    if (random.chance(0.4)) last = add('worker', last)
    front = [add('learner', last)]
  } else front = Array.from({ length: 1 + random.int(2) }, () => add('source'))
  let split = false
  if (mode === 'temporary') front = [add('worker', ...front)]
  for (let layers = 1 + random.int(3); layers > 0 && kinds.length < MAX_NODES; layers--) {
    const at = random.int(front.length)
    const chosen = front[at] as string
    const shape = random.pick(['pass', 'fork', 'join', 'split'] as const)
    if (shape === 'split' && !split && mode !== 'temporary') {
      split = true
      const splitter = add('splitter', chosen)
      front[at] = add('merger', random.chance(0.7) ? add(random.pick(['worker', 'looper']), splitter) : splitter)
    } else if (shape === 'fork') front.splice(at, 1, add('worker', chosen), add('judge', chosen))
    else if (shape === 'join' && front.length > 1) front = [add('worker', ...front)]
    else front[at] = add(random.pick(['worker', 'looper', 'judge']), chosen)
  }
  if (random.chance(0.5)) add('collector', ...front)
  else for (const each of front) add('collector', each)
  return { kinds, edges, inLoop: looped ? kinds.findIndex(([, kind]) => kind === 'learner') : -1 }
}

function drawSupervisors(random: Random): SupervisorOptions[] {
  if (random.chance(0.4)) return []
  const strategy = random.pick(STRATEGIES)
  const borne = { maxRestarts: 1000, backoff: { firstMs: random.pick([0, 10, 100]) } }
  const top: SupervisorOptions = { name: 'upper', strategy, ...borne }
  return random.chance(0.5)
    ? [top]
    : [top, { name: 'lower', strategy: random.pick(STRATEGIES), under: 'upper', ...borne }]
}

/** Those of which order or a whole count is asked are alone. */
const ALONE: readonly Kind[] = ['source', 'merger', 'sampler', 'learner', 'collector']

function drawNode(
  random: Random,
  { name, kind, ...is }: { name: string; kind: Kind; alone: boolean },
  mode: Mode,
  supervisors: readonly SupervisorOptions[],
): SimNode {
  const alone = is.alone || ALONE.includes(kind) || (kind !== 'worker' && mode === 'temporary')
  const replicas = alone ? 1 : mode === 'temporary' && name === 'worker0' ? 2 + random.int(2) : 1 + random.int(3)
  const under = supervisors.length > 0 && random.chance(0.7) ? random.pick(supervisors).name : undefined
  const backoff = { firstMs: random.pick([0, 1, 20, 100]), factor: random.pick([1, 2]) }
  const supervise = { maxRestarts: 1 + random.int(8), withinMs: 1e9, backoff }
  return { name, kind, replicas, count: 5 + random.int(25), under, supervise }
}

/** It is killed by its poison as often as it is given it. */
function bearing(node: SimNode): SimNode {
  return { ...node, supervise: { ...node.supervise, maxRestarts: 1000 } }
}

function temporary(is: boolean): RestartOptions {
  return is ? { restart: 'temporary' } : { maxRestarts: 0 }
}
