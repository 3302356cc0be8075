import { initParams, loadCheckpoint, paramLayout, saveCheckpoint, type TextTokenizer } from '../models/index.js'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { Random } from '../runtime/time/random.js'
import type { LearnerConfig } from './learner-config.js'

/** The weights that training begins with, and how what becomes of them is saved. */
export interface StartingParams {
  readonly params: Float32Array
  /** Writes a checkpoint, stored as the one that training began with. */
  save(folder: string, params: Float32Array, tokenizer: TextTokenizer): Promise<void>
}

/** A checkpoint's weights where training starts from one, else fresh ones. `E_CONFIG` where it is of another shape. */
export async function startingParams(config: LearnerConfig, random: Random): Promise<StartingParams> {
  const { model, start } = config
  if (start === undefined)
    return {
      params: initParams(model, random.stream('init')),
      save: (folder, params, tokenizer) => saveCheckpoint(folder, { config: model, params, tokenizer }),
    }
  const { config: found, params, stopTokens, dtype } = await loadCheckpoint(start)
  if (paramLayout(found).total !== paramLayout(model).total)
    throw new TroupeError('E_CONFIG', `the checkpoint has ${params.length} parameters, the model another number`, {
      where: start,
      hint: 'Let the model be the checkpoint’s',
    })
  return {
    params,
    save: (folder, trained, tokenizer) =>
      saveCheckpoint(folder, { config: model, params: trained, tokenizer, stopTokens }, { dtype }),
  }
}
