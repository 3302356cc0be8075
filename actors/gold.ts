import { loadModule, type ModuleReference } from './shared.js'
import type { GoldModule } from './world.js'

/** The scorer behind the evaluator; no other actor imports this file, and a test holds that. */
export async function loadGold(reference: ModuleReference) {
  const { createGold } = await loadModule<GoldModule>(reference, 'createGold')
  return createGold(reference.options)
}
