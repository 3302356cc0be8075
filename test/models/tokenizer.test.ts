import { Tokenizer } from '@huggingface/tokenizers'
import test from 'ava'
import fc from 'fast-check'
import { createWordTokenizer, loadTokenizer } from '../../models/tokenizer.js'

const markers = { pad: '<pad>', begin: '<s>', end: '</s>', unknown: '<unk>' }
const words = [
  '<pad>',
  '<s>',
  '</s>',
  '<unk>',
  'oak',
  'fig',
  'elm',
  '<score>',
  '.',
  ',',
  '5',
  'constructor',
  '__proto__',
]
const tokenizer = createWordTokenizer(words, markers)

test('token i is word i, both ways', (t) => {
  t.is(tokenizer.vocabSize, words.length)
  t.deepEqual([...tokenizer.encode(words.join(' '))], [...words.keys()])
  t.is(tokenizer.decode([...words.keys()]), words.join(' '))
  words.forEach((word, id) => {
    t.is(tokenizer.idOf(word), id)
  })
  t.throws(() => tokenizer.idOf('ash'), { code: 'E_DATA', message: /no token "ash"/ })
})

test('unknown words, white space, markers glued to words, special tokens', (t) => {
  t.deepEqual([...tokenizer.encode('  oak \n ash\tfig ')], [4, 3, 5])
  t.deepEqual([...tokenizer.encode('oak</s>fig ash<s>')], [4, 2, 5, 3, 1])
  t.deepEqual([...tokenizer.encode('')], [])
  t.is(tokenizer.decode([1, 4, 7, 8, 2, 0]), '<s> oak <score> . </s> <pad>')
  t.is(tokenizer.decode([1, 4, 7, 8, 2, 0], { skipSpecial: true }), 'oak <score> .')
  t.is(tokenizer.decode([4, 99]), 'oak <unk>')
  t.is(tokenizer.decode([]), '')
})

test('the word maps give what the Hugging Face library gives', (t) => {
  const library = new Tokenizer(tokenizer.files.tokenizer, tokenizer.files.config)
  const pieces = fc.constantFrom(...words, 'ash', 'oaks', '<', 's>', 'ümlaut', '<s', '😀', 'toString')
  const glue = fc.constantFrom(' ', ' ', ' ', '', '  ', '\n')
  const text = fc.array(fc.tuple(pieces, glue), { maxLength: 12 }).map((parts) => parts.flat().join(''))
  fc.assert(
    fc.property(text, (one) => {
      t.deepEqual([...tokenizer.encode(one)], library.encode(one, { add_special_tokens: false }).ids)
    }),
    { seed: 3, numRuns: 500 },
  )
  const ids = fc.array(fc.integer({ min: 0, max: words.length + 2 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(ids, fc.boolean(), (tokens, skipSpecial) => {
      t.is(tokenizer.decode(tokens, { skipSpecial }), library.decode(tokens, { skip_special_tokens: skipSpecial }))
    }),
    { seed: 4, numRuns: 300 },
  )
})

test('its files, read again, give the same tokenizer', (t) => {
  const { files } = tokenizer
  const again = loadTokenizer(JSON.parse(JSON.stringify(files.tokenizer)), JSON.parse(JSON.stringify(files.config)))
  t.deepEqual(again.encode(words.join(' ')), tokenizer.encode(words.join(' ')))
})

test('a tokenizer of another kind goes through the library', (t) => {
  const bytePair = loadTokenizer(
    {
      added_tokens: [],
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'], unk_token: null },
    },
    {},
  )
  t.deepEqual([...bytePair.encode('AB abb')], [2, 2, 1])
  t.is(bytePair.vocabSize, 3)
  t.is(bytePair.decode([]), '')
})

test('words that could not be read back are refused', (t) => {
  const refused = (list: string[], message: RegExp) =>
    t.throws(() => createWordTokenizer(list, markers), { code: 'E_CONFIG', message })
  refused([...words, 'oak'], /"oak" occurs twice/)
  refused([...words, 'two words'], /white space/)
  refused([...words, 'x<s>'], /contains marker <s>/)
  refused(words.slice(1), /marker "<pad>" is not among the words/)
  t.throws(() => createWordTokenizer(words, { ...markers, pad: '<s>' }), { code: 'E_CONFIG' })
  t.throws(() => loadTokenizer({ model: 5 }, {}), { code: 'E_CHECKPOINT' })
})
