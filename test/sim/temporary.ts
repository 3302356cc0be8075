import type { Item } from './paths.js'
import type { RoleState } from './roles.js'
import type { World } from './world.js'

/**
 * A replica that is not restarted may take with it, or leave to be done again, what it has had in its hands. Everything else is
 * collected or dropped once.
 */
export async function checkTemporary(
  world: World,
  statesOf: (node: string) => Promise<readonly RoleState[]>,
): Promise<void> {
  const { paths, plan } = world
  const ends = new Map<string, number>()
  const count = (item: Item, node: string) => {
    for (const share of paths.shares(item, node)) ends.set(share, (ends.get(share) ?? 0) + 1)
  }
  for (const { name, kind } of plan.nodes) {
    if (kind !== 'judge' && kind !== 'collector') continue
    for (const { seen, dropped } of await statesOf(name)) {
      for (const item of seen) count(item, name)
      for (const item of dropped) count(item, name)
    }
  }
  const touched = new Set(world.touched.map(({ id }) => id))
  for (const { name, kind, count: issued } of plan.nodes) {
    if (kind !== 'source') continue
    for (let n = 0; n < issued; n++) {
      const id = world.idOf(name, n)
      if (touched.has(id)) continue
      for (const share of paths.shares({ id, path: '', part: -1 }, name)) {
        const times = ends.get(share) ?? 0
        if (times === 0) world.violate('nothing is lost', `${share} is nowhere`)
        if (times > 1) world.violate('nothing is doubled', `${share} was done ${times} times`)
      }
    }
  }
}
