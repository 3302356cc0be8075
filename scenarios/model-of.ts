import { z } from 'zod'
import type { World } from '../actors/world.js'
import { type DecoderConfig, loadCheckpointFiles } from '../models/index.js'
import { TroupeError } from '../runtime/index.js'
import { ownPath } from './own-path.js'

export const modelShape = z
  .strictObject({
    hiddenSize: z.int().min(8).default(64),
    intermediateSize: z.int().min(8).default(176),
    layers: z.int().min(1).default(2),
    heads: z.int().min(1).default(4),
    kvHeads: z.int().min(1).default(4),
    from: ownPath
      .optional()
      .describe('or a Hugging Face folder that training starts from; model=folder is short for it'),
  })
  .prefault({})
  .describe('a Llama-family decoder, trained from scratch')

/**
 * The checkpoint's model where there is one, else a decoder of that shape for the words of a world. `E_CONFIG` where the shape does
 * not fit together, `E_CHECKPOINT` where the folder cannot be used.
 */
export async function modelOf(shape: z.output<typeof modelShape>, world: World): Promise<DecoderConfig> {
  if (shape.from !== undefined) return (await loadCheckpointFiles(shape.from)).config
  const idOf = (marker: string) => world.words.indexOf(marker)
  const { hiddenSize, intermediateSize, layers, heads, kvHeads } = shape
  if (hiddenSize % heads !== 0 || heads % kvHeads !== 0)
    throw new TroupeError('E_CONFIG', `model: ${hiddenSize} wide does not split into ${heads} heads over ${kvHeads}`, {
      hint: 'hiddenSize must be a multiple of heads, and heads of kvHeads',
    })
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
