import type { ActorDefinition } from '../kernel/actor.js'
import { TroupeError } from '../kernel/errors.js'

/** Imports a role's module and finds the exported definition by its role. */
export async function importDefinition(module: string, role: string): Promise<ActorDefinition> {
  const exported: Record<string, unknown> = await import(module)
  for (const value of Object.values(exported)) {
    const candidate = value as Partial<ActorDefinition> | null | undefined
    if (typeof candidate === 'object' && candidate?.role === role && typeof candidate.start === 'function') {
      return candidate as ActorDefinition
    }
  }
  throw new TroupeError('E_CONFIG', `no exported actor definition has the role "${role}"`, {
    where: module,
    hint: 'Export the definition from the module that it names',
  })
}
