import type { SimNode, SimPlan } from './plan.js'

/** What travels. A token stands for everything that it will become further down. */
export interface Item {
  readonly id: number
  /** Of a source: counts from 0. */
  readonly number: number
  /** Nodes that it has been through, each followed by `>`. */
  readonly path: string
  /** −1: the whole. */
  readonly part: number
  /** That wrote it; −1 where no sampler has. */
  readonly version: number
  /** It was given up somewhere. */
  readonly aside: boolean
  /** Who sent it, in which of its lives, and its number among what that one has sent. */
  readonly from: string
  readonly life: number
  readonly sent: number
}

export type Token = Pick<Item, 'id' | 'path' | 'part'>

/** Every item has a share at the end of each way that it can go; the shares of all tokens there are at a moment are those of all items. */
export class Paths {
  readonly #plan: SimPlan
  readonly #ways = new Map<string, readonly string[]>()

  constructor(plan: SimPlan) {
    this.#plan = plan
  }

  node(name: string): SimNode {
    return this.#plan.nodes.find((node) => node.name === name) as SimNode
  }

  /** Shares of a token that `node` has before it, or in it. */
  shares({ id, path, part }: Token, node: string): string[] {
    return this.#waysFrom(node).flatMap((way) => {
      const whole = path + way
      const parts = whole.includes('splitter') ? this.#plan.parts : 1
      if (part >= 0) return [`${id} ${whole} ${part}`]
      return Array.from({ length: parts }, (_, i) => `${id} ${whole} ${i}`)
    })
  }

  /** Ways to an end, `node` included. */
  #waysFrom(node: string): readonly string[] {
    const known = this.#ways.get(node)
    if (known) return known
    const next = this.#plan.edges.filter(({ from }) => from === node)
    const ways =
      next.length === 0 ? [`${node}>`] : next.flatMap(({ to }) => this.#waysFrom(to).map((way) => `${node}>${way}`))
    this.#ways.set(node, ways)
    return ways
  }
}

/** `worker0/2` is a replica of `worker0`. */
export function nodeOf(actor: string): string {
  return actor.split('/')[0] as string
}

export function replicasOf({ name, replicas }: Pick<SimNode, 'name' | 'replicas'>): string[] {
  return replicas === 1 ? [name] : Array.from({ length: replicas }, (_, i) => `${name}/${i}`)
}
