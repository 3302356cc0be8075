import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/**
 * A seeded stream of chance. `stream(...path)` derives an independent stream from the seed and a path alone, never from
 * how much was drawn before: what a sample draws depends on its own name, not on the order in which work arrives.
 */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number
  /** Uniform integer in [0, below). */
  int(below: number): number
  /** Standard normal. */
  normal(): number
  /** True with the given probability. */
  chance(probability: number): boolean
  /** One element, uniformly; the list must not be empty. */
  pick<T>(items: readonly T[]): T
  /** A new list in uniformly random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[]
  stream(...path: readonly (string | number)[]): Random
}

/** A stream that depends on `seed` and `path` only. */
export function seededRandom(seed: number, ...path: readonly (string | number)[]): Random {
  return streamOf(path.reduce<number>((state, part) => mix(state, String(part)), mix(0x9e3779b9, String(seed))))
}

function streamOf(state: number): Random {
  const generator = xoroshiro128plus(state | 0)
  const float = () => uniformFloat64(generator)
  const int = (below: number) => uniformInt(generator, 0, below - 1)
  return {
    float,
    int,
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
    chance: (probability) => float() < probability,
    pick: <T>(items: readonly T[]) => items[int(items.length)] as T,
    shuffle: <T>(items: readonly T[]) => {
      const out = items.slice()
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1)
        const held = out[i] as T
        out[i] = out[j] as T
        out[j] = held
      }
      return out
    },
    stream: (...path) => streamOf(path.reduce<number>((s, part) => mix(s, String(part)), mix(state, 'stream'))),
  }
}

/** FNV-1a over the characters, then murmur3's finaliser so that near paths give far seeds. */
function mix(state: number, text: string): number {
  let hash = (state ^ 0x811c9dc5) >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0
  return (hash ^ (hash >>> 16)) >>> 0
}
