import type { TokenSequence } from '../models/types.js'
import type { Random } from '../runtime/time/random.js'
import { type PackedSequences, packSequences, unpackSequences } from './sequence-pack.js'
import type { Demonstration } from './world.js'

/** Demonstrations kept. */
const MOST = 4096

/** Demonstrations kept for mixing into preference updates: the first ones of those that teach answering and judging. */
export function createMixPool(random: Random) {
  const pool: TokenSequence[] = []
  return {
    add(demonstrations: readonly Demonstration[], sequences: readonly TokenSequence[]): void {
      const keep = demonstrations.flatMap(({ kind }, i) => (kind !== 'prompts' && sequences[i] ? [sequences[i]] : []))
      pool.push(...keep.slice(0, Math.max(0, MOST - pool.length)))
    },
    /** `rows` of them for a step of a pass of the update of a version; none from an empty pool. */
    draw(rows: number, version: number, step = 0, pass = 0): TokenSequence[] {
      const chance = random.stream('mix', version, ...(step || pass ? [step] : []), ...(pass ? [pass] : []))
      return pool.length === 0 ? [] : Array.from({ length: rows }, () => chance.pick(pool))
    },
    snapshot: (): PackedSequences => packSequences(pool),
    restore(state: PackedSequences): void {
      pool.splice(0, pool.length, ...unpackSequences(state))
    },
  }
}
