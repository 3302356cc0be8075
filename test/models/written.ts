import { initParams } from '../../models/layout.js'
import { createWordTokenizer } from '../../models/tokenizer.js'
import { seededRandom } from '../../runtime/time/random.js'
import { tiny } from './support.js'

/** The model behind test/fixtures/hf/written-by-troupe: tied head, a head size of its own, its own rotary base. */
export function writtenModel() {
  const config = { ...tiny, headDim: 6, ropeTheta: 500, rmsNormEps: 1e-6 }
  const words = ['<pad>', '<s>', '</s>', '<unk>', '<score>', '.', ',', 'oak', 'fig', 'elm', 'name', 'three', 'trees']
  const markers = { pad: '<pad>', begin: '<s>', end: '</s>', unknown: '<unk>' }
  const random = seededRandom(2026)
  // Larger than a fresh model's, gains included: logits near zero would agree with anything.
  const params = initParams(config, random).map((value) => (value === 1 ? 1 + 0.2 * random.normal() : value * 12))
  return { config, params, tokenizer: createWordTokenizer(words, markers) }
}

export const writtenRows = [
  [1, 10, 11, 12, 5, 7, 6, 8, 6, 9, 2],
  [1, 19, 0, 3],
]

export const writtenTexts = ['<s> name three trees . oak , fig , elm </s>', 'oak birch<s>', ' <score>  elm\n']
