import type { World } from '../actors/world.js'
import { type DecoderConfig, loadCheckpointFiles } from '../models/index.js'
import { TroupeError } from '../runtime/index.js'

/** A decoder's sizes, as the configuration of a scenario has them. */
export interface ModelShape {
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
}

/**
 * The model of a run: a checkpoint's (`folder`), else one of this shape over the world's words. Throws `E_CONFIG` where the shape is
 * impossible, `E_CHECKPOINT` where the folder cannot be used.
 */
export async function modelOf(shape: ModelShape, world: World, folder?: string): Promise<DecoderConfig> {
  if (folder !== undefined) return (await loadCheckpointFiles(folder)).config
  const { hiddenSize, intermediateSize, layers, heads, kvHeads } = shape
  if (hiddenSize % heads !== 0 || heads % kvHeads !== 0)
    throw new TroupeError('E_CONFIG', `model: ${hiddenSize} wide does not split into ${heads} heads over ${kvHeads}`, {
      hint: 'hiddenSize must be a multiple of heads, and heads of kvHeads',
    })
  const idOf = (marker: string) => world.words.indexOf(marker)
  return {
    vocabSize: world.words.length,
    hiddenSize,
    intermediateSize,
    numHiddenLayers: layers,
    numAttentionHeads: heads,
    numKeyValueHeads: kvHeads,
    headDim: hiddenSize / heads,
    maxPositionEmbeddings: world.limits.context,
    rmsNormEps: 1e-5,
    ropeTheta: 10_000,
    tieWordEmbeddings: true,
    bosTokenId: idOf(world.markers.begin),
    eosTokenId: idOf(world.markers.end),
    padTokenId: idOf(world.markers.pad),
  }
}
