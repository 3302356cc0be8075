import { z } from 'zod'
import type { Overflow } from '../channel/index.js'
import type { ActorDefinition } from './actor.js'
import { TroupeError } from './errors.js'
import type { InputRef, OutputRef } from './refs.js'
import { DEFAULT_POLICY, type RestartPolicy, type Strategy, type Supervised } from './supervision.js'

/** Messages in flight on one channel unless `connect` says otherwise. */
const DEFAULT_WINDOW = 4
const MAX_WINDOW = 65_536
const OVERFLOWS: readonly Overflow[] = ['block', 'drop-new', 'drop-old', 'fail']
const MAX_REPLICAS = 1024

export interface PlannedActor {
  readonly name: string
  readonly definition: ActorDefinition
  readonly config: unknown
  readonly replicas: number
  readonly placement: Placement | undefined
}

/** Where an actor lives: a worker thread, a process of its own, or the troupe's own thread. */
export type Placement = 'thread' | 'process' | 'inline'
export const PLACEMENTS: readonly Placement[] = ['thread', 'process', 'inline']

/** How failures of a child are answered; what is left out is {@link DEFAULT_POLICY}. */
export interface RestartOptions {
  readonly restart?: RestartPolicy['restart'] | undefined
  readonly maxRestarts?: number | undefined
  readonly withinMs?: number | undefined
  readonly backoff?: Partial<RestartPolicy['backoff']> | undefined
}

export interface SupervisorOptions extends RestartOptions {
  readonly name: string
  readonly strategy: Strategy
  /** The supervisor above; default: the troupe. */
  readonly under?: string | undefined
}

export interface ActorOptions {
  readonly config: unknown
  readonly name?: string | undefined
  readonly replicas?: number | undefined
  readonly placement?: Placement | undefined
  readonly supervise?: RestartOptions | undefined
  readonly under?: string | undefined
}

export interface PlannedConnection {
  readonly from: { readonly actor: string; readonly port: string }
  readonly to: { readonly actor: string; readonly port: string }
  readonly window: number
  readonly overflow: Overflow
}

export interface ConnectOptions {
  /** Messages in flight between one sender replica and one receiver replica; default 4. */
  readonly credits?: number | undefined
  /** What becomes of a message that finds no credit; default `block`: its sender waits. */
  readonly overflow?: Overflow | undefined
}

/** Who plays in a troupe and who is connected with whom; refuses with `E_CONFIG` what cannot be. */
export class Plan {
  readonly actors: PlannedActor[] = []
  readonly connections: PlannedConnection[] = []
  /** Actors by their replicas, and supervisors, in the order in which they were added. */
  readonly supervised: Supervised[] = []

  addSupervisor({ name, strategy, under, ...options }: SupervisorOptions): void {
    if (this.#isTaken(name)) throw refusal(`"${name}" is taken`, name, 'Give the supervisor another `name`')
    if (!['one-for-one', 'one-for-all', 'rest-for-one'].includes(strategy))
      throw refusal(`there is no strategy "${String(strategy)}"`, name, 'one-for-one, one-for-all or rest-for-one')
    this.#checkSupervisor(under, name)
    this.supervised.push({ name, strategy, under, policy: policyOf(options, name) })
  }

  addActor(definition: ActorDefinition, options: ActorOptions): PlannedActor {
    const name = options.name ?? definition.role
    const replicas = options.replicas ?? 1
    if (this.#isTaken(name)) {
      throw refusal(`two actors are named "${name}"`, name, 'Give one of them another `name`')
    }
    if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
      throw refusal(`replicas must be an integer from 1 to ${MAX_REPLICAS}, not ${replicas}`, name)
    }
    const { placement, under } = options
    if (placement !== undefined && !PLACEMENTS.includes(placement))
      throw refusal(`there is no placement "${String(placement)}"`, name, `It is one of ${PLACEMENTS.join(', ')}`)
    this.#checkSupervisor(under, name)
    const policy = policyOf(options.supervise ?? {}, name)
    const actor = { name, definition, config: parseConfig(definition, options.config), replicas, placement }
    this.actors.push(actor)
    for (const member of memberNames(actor)) this.supervised.push({ name: member, under, policy })
    return actor
  }

  connect(from: OutputRef<unknown>, to: InputRef<never>, options: ConnectOptions = {}): void {
    const { credits = DEFAULT_WINDOW, overflow = 'block' } = options
    if (from.kind !== 'output' || to.kind !== 'input') {
      throw refusal('an output is connected to an input', `${from.actor} → ${to.actor}`)
    }
    this.#checkPort(from.actor, 'outputs', from.port)
    this.#checkPort(to.actor, 'inputs', to.port)
    if (!Number.isInteger(credits) || credits < 1 || credits > MAX_WINDOW) {
      throw refusal(`credits must be an integer from 1 to ${MAX_WINDOW}, not ${credits}`, `${from.actor} → ${to.actor}`)
    }
    if (!OVERFLOWS.includes(overflow))
      throw refusal(`overflow must be one of ${OVERFLOWS.join(', ')}, not "${overflow}"`, `${from.actor} → ${to.actor}`)
    this.connections.push({
      from: { actor: from.actor, port: from.port },
      to: { actor: to.actor, port: to.port },
      window: credits,
      overflow,
    })
  }

  /** Every input that is not optional has a sender. */
  checkConnected(): void {
    for (const { name, definition } of this.actors) {
      for (const [port, { optional }] of Object.entries(definition.inputs)) {
        const connected = this.connections.some(({ to }) => to.actor === name && to.port === port)
        if (!connected && !optional) {
          throw refusal(`input "${port}" of ${name} is not connected`, name, 'Connect an output to it before start()')
        }
      }
    }
  }

  #isTaken(name: string): boolean {
    return this.actors.some((actor) => actor.name === name) || this.supervised.some((each) => each.name === name)
  }

  #checkSupervisor(name: string | undefined, child: string): void {
    if (name === undefined || this.supervised.some((each) => each.name === name && each.strategy)) return
    throw refusal(`no supervisor is named "${name}"`, child, 'Add it with supervisor() first')
  }

  #checkPort(name: string, side: 'inputs' | 'outputs', port: string): void {
    const actor = this.actors.find((each) => each.name === name)
    if (!actor) throw refusal(`no actor of this troupe is named "${name}"`, name)
    const ports = actor.definition[side]
    if (Object.hasOwn(ports, port)) return
    const has = Object.keys(ports).join(', ') || 'none'
    throw refusal(`${name} has no ${side.slice(0, -1)} "${port}"`, name, `It has: ${has}`)
  }
}

/** The names of an actor's replicas: its own where it has one, else `name/0`, `name/1`, … */
export function memberNames({ name, replicas }: Pick<PlannedActor, 'name' | 'replicas'>): string[] {
  return replicas === 1 ? [name] : Array.from({ length: replicas }, (_, replica) => `${name}/${replica}`)
}

function policyOf({ restart, maxRestarts, withinMs, backoff }: RestartOptions, name: string): RestartPolicy {
  const policy = {
    restart: restart ?? DEFAULT_POLICY.restart,
    maxRestarts: maxRestarts ?? DEFAULT_POLICY.maxRestarts,
    withinMs: withinMs ?? DEFAULT_POLICY.withinMs,
    backoff: { ...DEFAULT_POLICY.backoff, ...backoff },
  }
  if (!['permanent', 'transient', 'temporary'].includes(policy.restart))
    throw refusal(`restart must be permanent, transient or temporary, not "${String(restart)}"`, name)
  if (!Number.isInteger(policy.maxRestarts) || policy.maxRestarts < 0)
    throw refusal(`maxRestarts must be a whole number from 0 on, not ${policy.maxRestarts}`, name)
  const { firstMs, factor, mostMs } = policy.backoff
  if (!(policy.withinMs > 0) || !(firstMs >= 0) || !(factor >= 1) || !(mostMs >= firstMs))
    throw refusal('withinMs must be positive, and backoff grow from firstMs ≥ 0 by a factor ≥ 1 to mostMs', name)
  return policy
}

/** The configuration with its defaults; `E_CONFIG` names the role and the key of the first bad value. */
function parseConfig({ role, config }: ActorDefinition, given: unknown): unknown {
  const strict = config instanceof z.ZodObject && config.def.catchall === undefined ? config.strict() : config
  const parsed = strict.safeParse(given)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
    const path = [...issue.path.map(String), ...(keys[0] === undefined ? [] : [keys[0]])].join('.')
    return { path, message: issue.message }
  })
  const text = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  const where = [role, issues[0]?.path].filter(Boolean).join('.')
  throw refusal(`bad configuration of role "${role}": ${text}`, where)
}

function refusal(message: string, where: string, hint?: string): TroupeError {
  return new TroupeError('E_CONFIG', message, { where, hint })
}
