import { z } from 'zod'
import type { ActorDefinition } from './actor.js'
import { TroupeError } from './errors.js'
import type { InputRef, OutputRef } from './refs.js'

/** Messages in flight on one channel unless `connect` says otherwise. */
const DEFAULT_WINDOW = 4
const MAX_WINDOW = 65_536
const MAX_REPLICAS = 1024

export interface PlannedActor {
  readonly name: string
  readonly definition: ActorDefinition
  readonly config: unknown
  readonly replicas: number
}

export interface PlannedConnection {
  readonly from: { readonly actor: string; readonly port: string }
  readonly to: { readonly actor: string; readonly port: string }
  readonly window: number
}

/** Who plays in a troupe and who is connected with whom; refuses with `E_CONFIG` what cannot be. */
export class Plan {
  readonly actors: PlannedActor[] = []
  readonly connections: PlannedConnection[] = []

  addActor(
    definition: ActorDefinition,
    options: { config: unknown; name?: string | undefined; replicas?: number | undefined },
  ): PlannedActor {
    const name = options.name ?? definition.role
    const replicas = options.replicas ?? 1
    if (this.actors.some((actor) => actor.name === name)) {
      throw refusal(`two actors are named "${name}"`, name, 'Give one of them another `name`')
    }
    if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
      throw refusal(`replicas must be an integer from 1 to ${MAX_REPLICAS}, not ${replicas}`, name)
    }
    const actor = { name, definition, config: parseConfig(definition, options.config), replicas }
    this.actors.push(actor)
    return actor
  }

  connect(from: OutputRef<unknown>, to: InputRef<never>, credits = DEFAULT_WINDOW): void {
    if (from.kind !== 'output' || to.kind !== 'input') {
      throw refusal('an output is connected to an input', `${from.actor} → ${to.actor}`)
    }
    this.#checkPort(from.actor, 'outputs', from.port)
    this.#checkPort(to.actor, 'inputs', to.port)
    if (!Number.isInteger(credits) || credits < 1 || credits > MAX_WINDOW) {
      throw refusal(`credits must be an integer from 1 to ${MAX_WINDOW}, not ${credits}`, `${from.actor} → ${to.actor}`)
    }
    this.connections.push({
      from: { actor: from.actor, port: from.port },
      to: { actor: to.actor, port: to.port },
      window: credits,
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

  #checkPort(name: string, side: 'inputs' | 'outputs', port: string): void {
    const actor = this.actors.find((each) => each.name === name)
    if (!actor) throw refusal(`no actor of this troupe is named "${name}"`, name)
    const ports = actor.definition[side]
    if (Object.hasOwn(ports, port)) return
    const has = Object.keys(ports).join(', ') || 'none'
    throw refusal(`${name} has no ${side.slice(0, -1)} "${port}"`, name, `It has: ${has}`)
  }
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
