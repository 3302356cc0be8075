import type { TextTokenizer } from '../../../models/index.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { turnsOf } from './conversation.js'
import type { Message } from './shapes.js'

/** How prompts and answers stand before a model: texts that `tokenizer` encodes, special tokens written out. */
export interface Language {
  readonly tokenizer: TextTokenizer
  /** Whether prompts may be conversations of several turns. */
  readonly hasTurns: boolean
  /** What the model reads before it answers a prompt. */
  context(prompt: string): string
  /** What it writes, its end included. */
  answer(prompt: string, answer: string): Written
}

interface Written {
  readonly text: string
  readonly tokens: Int32Array
}

/** Texts that stop a model, the one that it is trained to write first. */
type Ends = readonly [string, ...string[]]

/**
 * Through the chat template, which writes the special tokens itself. An answer is what the template adds to the context, up to the
 * token that ends it.
 */
export function chatLanguage(tokenizer: TextTokenizer, ends: Ends): Language {
  const render = (messages: readonly Message[], addGenerationPrompt: boolean) =>
    tokenizer.applyChatTemplate(messages, { addGenerationPrompt }).text
  const context = (prompt: string) => render(turnsOf(prompt), true)
  return {
    tokenizer,
    hasTurns: true,
    context,
    answer(prompt, answer) {
      const before = context(prompt)
      const whole = render([...turnsOf(prompt), { role: 'assistant', content: answer }], false)
      // A template may write what came before in another way.
      const added = whole.startsWith(before) ? whole.slice(before.length) : answer
      const end = Math.max(...ends.map((text) => (added.includes(text) ? added.lastIndexOf(text) + text.length : 0)))
      return writtenAfter(before, end > 0 ? added.slice(0, end) : added + ends[0], tokenizer)
    },
  }
}

/** The prompt as it is, which the model goes on from, after what the tokenizer puts before every text. */
export function plainLanguage(tokenizer: TextTokenizer, ends: Ends): Language {
  const { begin, ids } = beginOf(tokenizer)
  const encode: TextTokenizer['encode'] = (text, options) =>
    begin !== '' && text.startsWith(begin)
      ? Int32Array.of(...ids, ...tokenizer.encode(text.slice(begin.length)))
      : tokenizer.encode(text, options)
  // Encoded apart: a tokenizer that marks the beginning of a text would not do so behind a special token.
  const plain = { ...tokenizer, encode }
  const context = (prompt: string) => begin + prompt
  return {
    tokenizer: plain,
    hasTurns: false,
    context,
    answer: (prompt, answer) => writtenAfter(context(prompt), answer + ends[0], plain),
  }
}

/** The tokens that a text has behind another one, where that keeps its own; else those that it has by itself. */
function writtenAfter(before: string, text: string, tokenizer: TextTokenizer): Written {
  const head = tokenizer.encode(before)
  const whole = tokenizer.encode(before + text)
  const keeps = head.every((token, i) => whole[i] === token)
  return { text, tokens: keeps ? whole.slice(head.length) : tokenizer.encode(text) }
}

/** What the tokenizer puts before a text by itself, as a text and as tokens. */
function beginOf(tokenizer: TextTokenizer): { readonly begin: string; readonly ids: Int32Array } {
  const bare = tokenizer.encode('a')
  const marked = tokenizer.encode('a', { addSpecial: true })
  const at = marked.findIndex((_, i) => bare.every((id, k) => marked[i + k] === id))
  const ids = marked.slice(0, Math.max(0, at))
  return { begin: tokenizer.decode(ids), ids }
}

/** `E_CONFIG` where the template that is asked for is not there. */
export function languageOf(
  tokenizer: TextTokenizer,
  stopTokens: readonly number[],
  template: 'auto' | 'chat' | 'plain',
  where: string,
): Language {
  const ends = stopTokens.map((token) => tokenizer.decode([token])) as unknown as Ends
  if (template === 'plain' || (template === 'auto' && !tokenizer.hasChatTemplate)) return plainLanguage(tokenizer, ends)
  if (tokenizer.hasChatTemplate) return chatLanguage(tokenizer, ends)
  throw new TroupeError('E_CONFIG', 'the model has no chat template', {
    where,
    hint: 'Choose template=plain, or add chat_template.jinja to the folder',
  })
}
