import { TroupeError } from '../kernel/errors.js'
import {
  type Cost,
  type CostsConfig,
  checked,
  costsSchema,
  type Latency,
  type LinksConfig,
  linksSchema,
  timeDefaults,
} from './cost-config.js'
import { drawer } from './distributions.js'
import { type Random, seededRandom } from './random.js'
import { type Recording, readRecording } from './recording.js'

/** A turn whose length is asked for. */
export interface CostedTurn {
  /** Unique in the troupe: `judge`, or `judge/1` for a replica. */
  readonly actor: string
  readonly role: string
  readonly name: string
  /** How many turns the actor has had before. */
  readonly index: number
  readonly attributes?: Readonly<Record<string, number | string>> | undefined
}

/** A message whose latency is asked for: the `index`-th from one actor to another. */
export interface CostedMessage {
  readonly from: string
  readonly to: string
  readonly index: number
}

type Named = Pick<CostedTurn, 'actor' | 'role'>
/** Of the turn that is the `index`-th of its actor. */
type Length = (index: number, attributes: CostedTurn['attributes']) => number

/**
 * Lengths of turns in milliseconds, see {@link costsSchema}: given an actor and the name of a turn, those of these turns. What a
 * turn costs depends on the seed, its actor, its name and its index alone, never on what was asked before. `E_CONFIG` where
 * the configuration is wrong or a recording is missing, `E_DATA` where a recording has no such turns.
 */
export function createCosts(config: CostsConfig, seed: number): (turns: Named & { readonly name: string }) => Length {
  const costs = new Map(Object.entries(checked(costsSchema, config, 'costs')))
  const recordings = new Map<string, Recording>()
  for (const cost of costs.values()) {
    if (cost.distribution !== 'recorded' || recordings.has(cost.recorded)) continue
    recordings.set(cost.recorded, readRecording(cost.recorded))
  }
  return (turns) => {
    const key = costKeys(turns, turns.name).find((candidate) => costs.has(candidate))
    return lengthOf(key === undefined ? undefined : costs.get(key), turns, seed, recordings)
  }
}

/** Latencies of messages in milliseconds, see {@link linksSchema}; each depends on the seed, the pair and the index alone. */
export function createLinkModel(config: LinksConfig, seed: number): (message: CostedMessage) => number {
  const links = Object.entries(checked(linksSchema, config, 'links')).map(([key, latency]) => ({
    latency,
    matches: linkPattern(key),
    weight: key.replaceAll('*', '').length,
  }))
  links.sort((a, b) => b.weight - a.weight)
  const known = new Map<string, (index: number) => number>()
  return ({ from, to, index }) => {
    const pair = `${from}->${to}`
    let latency = known.get(pair)
    if (!latency) {
      const found = links.find(({ matches }) => matches(from, to))?.latency
      latency = found
        ? randomLength(found, drawer(found), seededRandom(seed, 'link', from, to))
        : () => timeDefaults.linkMs
      known.set(pair, latency)
    }
    return latency(index)
  }
}

/**
 * Refuses with `E_CONFIG` a key of `costs` or `links` that is about no actor of the troupe, and with `E_DATA` a recording that lacks
 * what is asked of it: found late, either would cost a study.
 */
export function checkTimeKeys(
  config: { costs?: CostsConfig | undefined; links?: LinksConfig | undefined },
  actors: readonly Named[],
): void {
  const owners = new Set(actors.flatMap((actor) => costOwners(actor)))
  const hint = `It has: ${[...owners].filter((owner) => owner !== '*').join(', ')}`
  for (const [key, cost] of Object.entries(checked(costsSchema, config.costs ?? {}, 'costs'))) {
    const [owner, turn] = key.split(':') as [string, string | undefined]
    if (!owners.has(owner))
      throw new TroupeError('E_CONFIG', `"costs.${key}" is about no actor of this troupe`, { hint })
    if (cost.distribution !== 'recorded') continue
    const recording = readRecording(cost.recorded)
    const roles = new Set(actors.flatMap((actor) => (costOwners(actor).includes(owner) ? [actor.role] : [])))
    for (const role of roles)
      for (const name of turn === undefined ? recording.turnsOf(role) : [turn])
        recording.lengths(role, name, cost.perItem)
  }
  for (const key of Object.keys(config.links ?? {})) {
    const matches = linkPattern(key)
    if (actors.some((from) => actors.some((to) => matches(from.actor, to.actor)))) continue
    throw new TroupeError('E_CONFIG', `"links.${key}" is about no actors of this troupe`, { hint })
  }
}

function costOwners({ actor, role }: Named): string[] {
  return [...new Set([actor, actor.replace(/\/\d+$/, ''), role, '*'])]
}

function costKeys(who: Named, turn: string): string[] {
  return costOwners(who).flatMap((owner) => [`${owner}:${turn}`, owner])
}

function linkPattern(key: string): (from: string, to: string) => boolean {
  const [from, to] = key.split('->').map((pattern) => {
    const escaped = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    return new RegExp(`^${escaped.join('.*')}(/\\d+)?$`)
  })
  return (sender, receiver) => from!.test(sender) && to!.test(receiver)
}

function lengthOf(
  cost: Cost | undefined,
  turn: Named & { readonly name: string },
  seed: number,
  recordings: ReadonlyMap<string, Recording>,
): Length {
  if (!cost) return () => timeDefaults.turnMs
  const { perItem } = cost
  const draw = cost.distribution === 'recorded' ? drawRecorded(cost, turn, recordings) : drawer(cost)
  const length = randomLength(cost, draw, seededRandom(seed, 'cost', turn.actor, turn.name))
  if (perItem === undefined) return length
  return (index, attributes) => length(index) * itemsOf(attributes?.[perItem])
}

/** A turn that does not say how many items it has is one item. */
function itemsOf(attribute: number | string | undefined): number {
  return typeof attribute === 'number' && attribute >= 0 && Number.isFinite(attribute) ? attribute : 1
}

function drawRecorded(
  cost: Extract<Cost, { distribution: 'recorded' }>,
  { role, name }: Named & { readonly name: string },
  recordings: ReadonlyMap<string, Recording>,
): (random: Random) => number {
  const lengths = recordings.get(cost.recorded)!.lengths(role, name, cost.perItem)
  return (random) => lengths[random.int(lengths.length)]!
}

function randomLength(
  { distribution, straggler }: Cost | Latency,
  draw: (random: Random) => number,
  random: Random,
): (index: number) => number {
  if (distribution === 'constant' && !straggler) return () => draw(random)
  return (index) => {
    const own = random.stream(index)
    // Drawn first and always: stragglers leave the lengths of the others as they are without them.
    const luck = own.float()
    const factor = straggler && luck < straggler.probability ? straggler.factor : 1
    return factor * draw(own)
  }
}
