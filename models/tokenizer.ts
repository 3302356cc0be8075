import { Tokenizer } from '@huggingface/tokenizers'
import { TroupeError } from '../runtime/kernel/errors.js'
import { type ChatMessage, type ChatOptions, chatTemplatesOf, renderChat } from './chat-template.js'
import { type TokenizerFiles, type WordMarkers, wordLevelFiles } from './tokenizer-files.js'

/** Text to tokens and back. */
export interface TextTokenizer {
  readonly vocabSize: number
  /** What `tokenizer.json` and `tokenizer_config.json` hold, for a checkpoint. */
  readonly files: TokenizerFiles
  /**
   * What is not in the vocabulary becomes the unknown token, where there is one. `addSpecial` (default false) adds what the
   * post-processor in `tokenizer.json` puts at either end; as in transformers 5, `add_bos_token` beside it does not count.
   */
  encode(text: string, options?: { readonly addSpecial?: boolean }): Int32Array
  /** `skipSpecial` (default false) leaves special tokens out. */
  decode(tokens: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string
  /** Throws `E_DATA` when the vocabulary does not have exactly this token. */
  idOf(token: string): number
  readonly hasChatTemplate: boolean
  /**
   * A conversation as its chat template writes it, and the tokens of that text (nothing is added: templates write the special
   * tokens themselves). Throws `E_CHECKPOINT` when there is no template, or it fails.
   */
  applyChatTemplate(
    messages: readonly ChatMessage[],
    options?: ChatOptions,
  ): { readonly text: string; readonly tokens: Int32Array }
}

/**
 * A tokenizer of whole words: token i is `words[i]`; text is split at white space. The four markers must be among the
 * words and become special tokens; any other word, `<like-this>` or not, is an ordinary one. Throws `E_CONFIG` when a
 * word could not be read back (white space, duplicates, a marker inside another word).
 */
export function createWordTokenizer(words: readonly string[], markers: WordMarkers): TextTokenizer {
  return loadTokenizer(...wordLevelFiles(words, markers))
}

/**
 * Opens the contents of `tokenizer.json` and `tokenizer_config.json`, and of `chat_template.jinja` where there is one. Throws
 * `E_CHECKPOINT` that names `where`.
 */
export function loadTokenizer(
  tokenizer: object,
  config: object,
  { chatTemplate, where = 'tokenizer.json' }: { chatTemplate?: string | undefined; where?: string } = {},
): TextTokenizer {
  checkIds(tokenizer, where)
  let library: Tokenizer
  try {
    library = new Tokenizer(tokenizer, config)
    library.encode('a b') // some faults show only here
  } catch (error) {
    throw new TroupeError('E_CHECKPOINT', `the tokenizer cannot be used: ${(error as Error).message}`, {
      where,
      hint: 'It must be a tokenizer.json of the Hugging Face tokenizers library',
      cause: error,
    })
  }
  const vocabulary = library.get_vocab()
  const ids = [...vocabulary.values()]
  const idOf = (token: string): number => {
    const id = vocabulary.get(token)
    if (id === undefined)
      throw new TroupeError('E_DATA', `the tokenizer has no token ${JSON.stringify(token)}`, { where: 'tokenizer' })
    return id
  }
  const templates = chatTemplatesOf(config, chatTemplate)
  const encode = (text: string, addSpecial = false) =>
    Int32Array.from(library.encode(text, { add_special_tokens: addSpecial }).ids)
  const general = {
    vocabSize: ids.reduce((most, id) => Math.max(most, id + 1), 0),
    files: { tokenizer, config, ...(chatTemplate === undefined ? {} : { chatTemplate }) },
    idOf,
    encode: (text: string, options: { readonly addSpecial?: boolean } = {}) => encode(text, options.addSpecial),
    hasChatTemplate: templates.size > 0,
    applyChatTemplate: (messages: readonly ChatMessage[], options: ChatOptions = {}) => {
      const text = renderChat(templates, config, messages, options)
      return { text, tokens: encode(text) }
    },
    decode: (tokens: ArrayLike<number>, options: { readonly skipSpecial?: boolean } = {}) =>
      tokens.length === 0
        ? ''
        : library.decode(Array.from(tokens), { skip_special_tokens: options.skipSpecial ?? false }),
  }
  const plain = plainWords(tokenizer as PlainTokenizer, library, vocabulary)
  return plain
    ? { ...general, ...plain, encode: (text, options) => plain.encode(text) ?? general.encode(text, options) }
    : general
}

/** Greatest id of a token: the library makes lists that long. */
const MAX_ID = 2 ** 24 - 1

/** Ids must be sizes before the library sees them: it drops others, or makes lists of any length. */
function checkIds(tokenizer: object, where: string): void {
  const { model, added_tokens: added } = tokenizer as { model?: { vocab?: unknown }; added_tokens?: unknown }
  const vocab = model?.vocab
  const ids: [token: string, id: unknown][] =
    typeof vocab === 'object' && vocab !== null && !Array.isArray(vocab) ? Object.entries(vocab) : []
  if (Array.isArray(added)) for (const token of added) ids.push([String(token?.content), token?.id])
  for (const [token, id] of ids)
    if (!Number.isSafeInteger(id) || (id as number) < 0 || (id as number) > MAX_ID)
      throw new TroupeError('E_CHECKPOINT', `token ${JSON.stringify(token)} has id ${JSON.stringify(id)}`, {
        where,
        hint: `Ids are integers from 0 to ${MAX_ID}: copy or download the file again`,
      })
}

/** The parts of a `tokenizer.json` that decide whether it is plain word lookup. */
interface PlainTokenizer {
  readonly model?: { readonly type?: string; readonly unk_token?: string }
  readonly normalizer?: unknown
  readonly post_processor?: unknown
  readonly decoder?: unknown
  readonly pre_tokenizer?: { readonly type?: string } | null
}

/**
 * Encoding and decoding of a plain word-level tokenizer by two maps: the library walks every character of a text through
 * a trie, and is measured five times slower. `encode` returns undefined for a text that only the library splits right (a
 * marker glued to a word). Undefined when the tokenizer is of another kind.
 */
function plainWords(json: PlainTokenizer, library: Tokenizer, vocabulary: Map<string, number>) {
  const added = [...library.get_added_tokens_decoder().values()]
  const markers = added.map(({ content }) => content)
  const unknown = vocabulary.get(json.model?.unk_token ?? '')
  const is = json.model?.type === 'WordLevel' && json.pre_tokenizer?.type === 'WhitespaceSplit'
  if (!is || json.normalizer || json.post_processor || json.decoder || unknown === undefined) return undefined
  const glued = (word: string) => markers.some((marker) => word !== marker && word.includes(marker))
  if ([...vocabulary.keys()].some(glued) || markers.some((marker) => /\s/.test(marker))) return undefined
  const words: string[] = []
  for (const [word, id] of vocabulary) words[id] = word
  const special = new Set(added.filter((token) => token.special).map(({ id }) => id))

  const encode = (text: string): Int32Array | undefined => {
    const parts = text.match(/\S+/g) ?? []
    const tokens = new Int32Array(parts.length)
    for (let i = 0; i < parts.length; i++) {
      const id = vocabulary.get(parts[i]!)
      if (id === undefined && glued(parts[i]!)) return undefined
      tokens[i] = id ?? unknown
    }
    return tokens
  }
  const decode = (tokens: ArrayLike<number>, options: { readonly skipSpecial?: boolean } = {}): string => {
    const parts: string[] = []
    for (let i = 0; i < tokens.length; i++) {
      const id = words[tokens[i]!] === undefined ? unknown : tokens[i]!
      if (!options.skipSpecial || !special.has(id)) parts.push(words[id]!)
    }
    return parts.join(' ')
  }
  return { encode, decode }
}
