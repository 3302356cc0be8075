import test from 'ava'
import fc from 'fast-check'
import { createPromptPool, greatestRougeL, rougeL, rougeWords } from '../../alignment/index.js'
import { lcsLength } from '../../alignment/rouge.js'

const sentence = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 40 })

function naiveLcs(a: readonly number[], b: readonly number[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      ;(table[i + 1] as number[])[j + 1] =
        x === y ? (table[i]?.[j] as number) + 1 : Math.max(table[i]?.[j + 1] as number, table[i + 1]?.[j] as number)
    })
  })
  return table[a.length]?.[b.length] as number
}

test('the examples of the ROUGE paper and of rouge_score', (t) => {
  // Lin 2004, §3.1: LCS of "police killed the gunman" with two candidates, F at β = 1
  t.is(rougeL('police killed the gunman'.split(' '), 'police kill the gunman'.split(' ')), 0.75)
  t.is(rougeL('police killed the gunman'.split(' '), 'the gunman kill police'.split(' ')), 0.5)
  // rouge_score's README: rougeL precision 0.625, recall 0.5555555555555556, fmeasure 0.5882352941176471
  const [a, b] = ['The quick brown fox jumps over the lazy dog', 'The quick brown dog jumps on the log.'].map(
    rougeWords,
  )
  t.is(rougeL(a as string[], b as string[]), 10 / 17)
  t.is(rougeL([], ['a']), 0)
})

test('words are runs of letters and digits in lower case', (t) => {
  t.deepEqual(rougeWords('Name 3 birds: no-one, please!'), ['name', '3', 'birds', 'no', 'one', 'please'])
})

test('the bit-parallel length is the naive one, also beyond 32 words', (t) => {
  fc.assert(
    fc.property(sentence, sentence, (a, b) => lcsLength(a, b) === naiveLcs(a, b)),
    { numRuns: 2000 },
  )
  const long = Array.from({ length: 50 }, (_, i) => i)
  t.is(lcsLength(long, long.slice().reverse()), 1)
  t.is(lcsLength(long.slice(0, 32), long), 32)
})

test('ROUGE-L is symmetric, within [0, 1], and 1 exactly on equal sentences', (t) => {
  fc.assert(
    fc.property(sentence, sentence, (a, b) => {
      const score = rougeL(a, b)
      return score === rougeL(b, a) && score >= 0 && score <= 1 && (score === 1) === (a.length > 0 && `${a}` === `${b}`)
    }),
  )
  t.pass()
})

test('the pool finds the greatest one of all, whatever it skips', (t) => {
  const word = fc.constantFrom(...'abcdefghij'.split(''))
  const prompt = fc.array(word, { minLength: 1, maxLength: 34 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.array(prompt, { maxLength: 30 }), prompt, (pool, candidate) => {
      const scores = pool.map((other) => rougeL(rougeWords(other), rougeWords(candidate)))
      return greatestRougeL(candidate, pool) === Math.max(0, ...scores)
    }),
  )
  t.pass()
})

test('a pool grows, and asking it leaves no trace', (t) => {
  const pool = createPromptPool(['name two birds'])
  t.is(pool.greatestRougeL('name two fish'), 2 / 3)
  t.is(pool.greatestRougeL('quite other words'), 0)
  t.is(pool.greatestRougeL('name two birds'), 1)
  pool.add('quite other words')
  t.is(pool.size, 2)
  t.is(pool.greatestRougeL('quite other words !'), 1)
})
