import type { LlamaConfig } from '../../models/config.js'
import { paramLayout } from '../../models/layout.js'
import { createWordTokenizer } from '../../models/tokenizer.js'
import { seededRandom } from '../../runtime/time/random.js'
import { tiny } from './support.js'

/** The model behind test/fixtures/hf/written-by-troupe: tied head, a head size of its own, its own rotary base. */
export function writtenModel() {
  const config = { ...tiny, headDim: 6, ropeTheta: 500, rmsNormEps: 1e-6 }
  const words = ['<pad>', '<s>', '</s>', '<unk>', '<score>', '.', ',', 'oak', 'fig', 'elm', 'name', 'three', 'trees']
  const markers = { pad: '<pad>', begin: '<s>', end: '</s>', unknown: '<unk>' }
  return { config, params: writtenParams(config), tokenizer: createWordTokenizer(words, markers) }
}

/**
 * Drawn here, so that the stored checkpoint does not depend on how fresh models are initialised, and wider than those:
 * logits near zero would agree with anything.
 */
function writtenParams(config: LlamaConfig): Float32Array {
  const random = seededRandom(2026)
  const { total, entries } = paramLayout(config)
  const params = new Float32Array(total)
  for (const { name, offset, length } of entries) {
    const stream = random.stream(name)
    const width = /\.(o_proj|down_proj)\.weight$/.test(name) ? 0.01 : 0.02
    for (let i = offset; i < offset + length; i++)
      params[i] = name.endsWith('norm.weight') ? 1 + 0.2 * random.normal() : 12 * Math.fround(width * stream.normal())
  }
  return params
}

export const writtenRows = [
  [1, 10, 11, 12, 5, 7, 6, 8, 6, 9, 2],
  [1, 19, 0, 3],
]

export const writtenTexts = ['<s> name three trees . oak , fig , elm </s>', 'oak birch<s>', ' <score>  elm\n']
