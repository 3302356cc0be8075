import { TroupeError } from '../runtime/kernel/errors.js'

/** The contents of `tokenizer.json` and `tokenizer_config.json`. */
export interface TokenizerFiles {
  readonly tokenizer: object
  readonly config: object
  /** The contents of `chat_template.jinja`, where there is one. */
  readonly chatTemplate?: string
}

export interface WordMarkers {
  readonly pad: string
  readonly begin: string
  readonly end: string
  readonly unknown: string
}

/**
 * Hugging Face files of a word-level tokenizer: WordLevel model, WhitespaceSplit pre-tokenizer, the markers as special
 * added tokens, nothing added to a text. Throws `E_CONFIG` that names the word.
 */
export function wordLevelFiles(words: readonly string[], markers: WordMarkers): [tokenizer: object, config: object] {
  checkWords(words, markers)
  const vocab: Record<string, number> = Object.create(null) // a word may be called __proto__
  words.forEach((word, id) => {
    vocab[word] = id
  })
  const special = [markers.pad, markers.begin, markers.end, markers.unknown]
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special
      .map((content) => ({
        id: vocab[content]!,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      }))
      .sort((a, b) => a.id - b.id),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: markers.unknown },
  }
  const config = {
    bos_token: markers.begin,
    clean_up_tokenization_spaces: false,
    eos_token: markers.end,
    pad_token: markers.pad,
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: markers.unknown,
  }
  return [tokenizer, config]
}

function checkWords(words: readonly string[], markers: WordMarkers): void {
  const fail = (message: string): never => {
    throw new TroupeError('E_CONFIG', `tokenizer: ${message}`, { where: 'tokenizer' })
  }
  const known = new Set(words)
  const special = new Set(Object.values(markers) as string[])
  if (special.size !== 4) fail('the four markers must differ')
  for (const marker of special) if (!known.has(marker)) fail(`marker ${JSON.stringify(marker)} is not among the words`)
  if (known.size !== words.length)
    fail(`word ${JSON.stringify(words.find((word, index) => words.indexOf(word) !== index))} occurs twice`)
  for (const word of words) {
    if (word === '' || /\s/.test(word)) fail(`word ${JSON.stringify(word)} is empty or has white space`)
    for (const marker of special)
      if (word !== marker && word.includes(marker)) fail(`word ${JSON.stringify(word)} contains marker ${marker}`)
  }
}
