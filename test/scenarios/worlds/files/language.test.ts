import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { loadTokenizer, type TextTokenizer } from '../../../../models/index.js'
import { toPrompt, turnsOf } from '../../../../scenarios/worlds/files/conversation.js'
import { chatLanguage, languageOf, plainLanguage } from '../../../../scenarios/worlds/files/language.js'
import { lengthBound } from '../../../../scenarios/worlds/files/length.js'

const folder = fileURLToPath(new URL('../../../../../test/fixtures/hf/tokenizers/', import.meta.url))
const json = (path: string) => JSON.parse(readFileSync(folder + path, 'utf8'))

function tokenizerOf(name: string): TextTokenizer {
  const file = `${folder}${name}/chat_template.jinja`
  const chatTemplate = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  return loadTokenizer(json(`${name}/tokenizer.json`), json(`${name}/tokenizer_config.json`), { chatTemplate })
}

/** What transformers gives for texts without and with the special tokens of the tokenizer. */
const textsOf = (name: string): { text: string; plain: number[]; special: number[] }[] =>
  json(`${name}/expected.json`).texts

/** Conversations as transformers renders them. */
const chatsOf = (
  name: string,
): { messages: { role: string; content: string }[]; addGenerationPrompt: boolean; rendered: string; ids: number[] }[] =>
  json(`${name}/expected.json`).chats.filter(({ template, rendered, variables }: Record<string, object>) => {
    return rendered && !template && Object.keys(variables ?? {}).length === 0
  })

const ENDS = { llama3: '<|eot_id|>', qwen: '<|im_end|>', mistral: '</s>' } as const

for (const name of ['gpt-neox', 'gpt2', 'llama3', 'mistral', 'qwen'])
  test(`${name}: a plain context has the tokens that transformers gives the prompt, and begins once`, (t) => {
    const { tokenizer, context } = plainLanguage(tokenizerOf(name), ['</s>'])
    for (const { text, special } of textsOf(name).filter(({ text }) => !text.startsWith('<s>')))
      t.deepEqual([...tokenizer.encode(context(text))], special, JSON.stringify(text))
  })

for (const [name, end] of Object.entries(ENDS)) {
  test(`${name}: a conversation has the tokens that transformers gives it`, (t) => {
    const { tokenizer, context } = chatLanguage(tokenizerOf(name), [end])
    const asked = chatsOf(name).filter(({ addGenerationPrompt }) => addGenerationPrompt)
    t.true(asked.length > 0)
    for (const { messages, rendered, ids } of asked) {
      const prompt = toPrompt(messages)
      t.is(context(prompt), rendered)
      t.deepEqual([...tokenizer.encode(context(prompt))], ids)
    }
  })

  test(`${name}: context and answer together are the whole conversation, up to the end of its last turn`, (t) => {
    const tokenizer = tokenizerOf(name)
    const { context, answer } = chatLanguage(tokenizer, [end])
    for (const content of ['the elm', ' the\n\nelm ', '']) {
      const written = answer('Name the oak', content)
      const turns = [
        { role: 'user', content: 'Name the oak' },
        { role: 'assistant', content },
      ]
      const whole = tokenizer.applyChatTemplate(turns)
      t.is((context('Name the oak') + written.text).trimEnd(), whole.text.trimEnd())
      t.true(written.text.endsWith(end))
      const tokens = [...tokenizer.encode(context('Name the oak')), ...written.tokens]
      t.deepEqual(tokens, [...whole.tokens.subarray(0, tokens.length)])
      t.is(written.tokens.at(-1), tokenizer.idOf(end))
    }
  })
}

test('the bound on lengths holds, and is infinite where it cannot be known', (t) => {
  for (const [name, end] of Object.entries(ENDS)) {
    const tokenizer = tokenizerOf(name)
    for (const language of [chatLanguage(tokenizer, [end]), plainLanguage(tokenizer, [end])]) {
      const bound = lengthBound(language)
      for (const { text } of textsOf(name)) {
        const answer = language.answer(text, text)
        t.true(
          language.tokenizer.encode(language.context(text)).length + answer.tokens.length <= bound(text, text),
          text,
        )
      }
      t.true(bound('the oak') < 300)
    }
    t.is(lengthBound(chatLanguage(tokenizer, [end]))('[{"role":"user","content":"a"}]'), Number.POSITIVE_INFINITY)
  }
  const template = '{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}'
  const twice = loadTokenizer(json('qwen/tokenizer.json'), { chat_template: template })
  t.is(lengthBound(chatLanguage(twice, ['<|im_end|>']))('a'), Number.POSITIVE_INFINITY)
})

test('an answer ends where the template ends it, else with the model’s own end', (t) => {
  const tokenizer = tokenizerOf('qwen')
  t.is(chatLanguage(tokenizer, ['<|endoftext|>', '<|im_end|>']).answer('a', 'b').text, 'b<|im_end|>')
  t.is(chatLanguage(tokenizer, ['<|endoftext|>']).answer('a', 'b').text, 'b<|im_end|>\n<|endoftext|>')
  const rewriting = loadTokenizer(json('qwen/tokenizer.json'), {
    chat_template: '{{ messages | length }}{{ messages[0].content }}',
  })
  t.is(chatLanguage(rewriting, ['<|im_end|>']).answer('a', 'b').text, 'b<|im_end|>')
})

test('plain answers go on from the prompt', (t) => {
  const tokenizer = tokenizerOf('gpt2')
  const { answer, context } = plainLanguage(tokenizer, ['<|endoftext|>'])
  const { text, tokens } = answer('the oak', ' and the elm')
  t.is(text, ' and the elm<|endoftext|>')
  t.deepEqual([...tokenizer.encode(context('the oak')), ...tokens], [...tokenizer.encode(`the oak${text}`)])
})

test('the template is used where there is one, unless told', (t) => {
  const [qwen, gpt2] = [tokenizerOf('qwen'), tokenizerOf('gpt2')]
  t.true(languageOf(qwen, [2], 'auto', 'm').hasTurns)
  t.is(languageOf(qwen, [2], 'auto', 'm').answer('a', 'b').text, 'b<|im_end|>')
  t.false(languageOf(qwen, [2], 'plain', 'm').hasTurns)
  t.false(languageOf(gpt2, [0], 'auto', 'm').hasTurns)
  t.throws(() => languageOf(gpt2, [0], 'chat', 'm'), { code: 'E_CONFIG', message: /no chat template/ })
})

test('a prompt travels as one text', (t) => {
  const turns = [
    { role: 'system', content: 'be short' },
    { role: 'user', content: 'hi' },
  ]
  t.is(toPrompt('hi'), 'hi')
  t.is(toPrompt(turns.slice(1)), 'hi')
  for (const prompt of ['hi', '[{"role":', '[{"role":"user"}]', '', '{"role":"user","content":"hi"}'])
    t.deepEqual(turnsOf(prompt), [{ role: 'user', content: prompt }])
  t.deepEqual(turnsOf(toPrompt(turns)), turns)
  t.deepEqual(turnsOf(toPrompt(turns.slice(0, 1))), turns.slice(0, 1))
})
