import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { loadTokenizer } from '../../models/tokenizer.js'
import { fixtures, readFixture } from './support.js'

function open(name: string) {
  const folder = ['tokenizers', name]
  const hasFile = readdirSync(join(fixtures, ...folder)).includes('chat_template.jinja')
  const chatTemplate = hasFile ? readFileSync(join(fixtures, ...folder, 'chat_template.jinja'), 'utf8') : undefined
  return {
    tokenizer: loadTokenizer(
      readFixture(...folder, 'tokenizer.json'),
      readFixture(...folder, 'tokenizer_config.json'),
      { chatTemplate },
    ),
    expected: readFixture(...folder, 'expected.json'),
  }
}

for (const name of ['gpt2', 'gpt-neox', 'qwen', 'llama3', 'mistral']) {
  test(`${name}: token ids with and without special tokens, and decoding, are those of transformers`, (t) => {
    const { tokenizer, expected } = open(name)
    for (const { text, plain, special, decoded } of expected.texts) {
      t.deepEqual([...tokenizer.encode(text)], plain, JSON.stringify(text))
      t.deepEqual([...tokenizer.encode(text, { addSpecial: true })], special, JSON.stringify(text))
      t.is(tokenizer.decode(special), decoded[0])
      t.is(tokenizer.decode(special, { skipSpecial: true }), decoded[1])
    }
  })
}

for (const name of ['qwen', 'llama3', 'mistral'])
  test(`${name}: chat templates give the text and tokens that transformers gives`, (t) => {
    const { tokenizer, expected } = open(name)
    t.true(expected.chats.length >= 6)
    for (const { messages, addGenerationPrompt, variables, rendered, ids, error } of expected.chats) {
      const chat = () => tokenizer.applyChatTemplate(messages, { addGenerationPrompt, variables })
      if (error) t.throws(chat, { code: 'E_CHECKPOINT', message: new RegExp(error.split('!')[0]) })
      else {
        t.is(chat().text, rendered)
        t.deepEqual([...chat().tokens], ids)
      }
    }
  })

test('a template is chosen by its name', (t) => {
  const { tokenizer } = open('qwen')
  t.is(tokenizer.applyChatTemplate([{ role: 'user', content: 'oak' }], { template: 'short' }).text, '1')
  t.throws(() => tokenizer.applyChatTemplate([], { template: 'long' }), {
    message: /no template long, only default, short/,
  })
  t.throws(() => open('gpt2').tokenizer.applyChatTemplate([]), {
    code: 'E_CHECKPOINT',
    message: /has no chat template/,
  })
})

const hostile: [name: string, template: unknown, message: RegExp][] = [
  ['that raises', "{{ raise_exception('no') }}", /cannot be rendered: no/],
  ['that is half', '{% for x in %}', /cannot be rendered/],
  ['that is a number', 5, /must be a text, or a list/],
  ['that is a list of numbers', [5], /must be a text, or a list/],
  ['that is too long', 'x'.repeat(2 ** 18 + 1), /has 262145 characters/],
  ['with an endless range', '{% for i in range(1000000000000) %}x{% endfor %}', /range has 1000000000000 numbers/],
  [
    'that loops for hours',
    '{% for i in range(99999) %}{% for j in range(99999) %}{% set k = j %}{% endfor %}{% endfor %}',
    /took longer than 2000 ms/,
  ],
  [
    'that doubles a text',
    "{% set n = namespace(x='xxxx') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    /cannot be rendered|more than 16777216 characters/,
  ],
  [
    'that reaches for the process',
    '{{ messages.constructor.constructor("return process")().exit(9) }}',
    /cannot be rendered/,
  ],
]

for (const [name, template, message] of hostile)
  test(`refused: a template ${name}`, (t) => {
    const { files } = open('gpt2').tokenizer
    const apply = () =>
      loadTokenizer(files.tokenizer, { ...files.config, chat_template: template }).applyChatTemplate([])
    t.throws(apply, { code: 'E_CHECKPOINT', message })
  })
