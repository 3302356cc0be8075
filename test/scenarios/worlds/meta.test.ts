import test from 'ava'
import type { Demonstration } from '../../../actors/world.js'
import { seededRandom } from '../../../runtime/index.js'
import { preferredOf } from '../../../scenarios/worlds/default/annotators.js'
import { createGold } from '../../../scenarios/worlds/default/gold.js'
import { createWorld } from '../../../scenarios/worlds/default/world.js'

const world = createWorld({})
const gold = createGold({})
const counts = { ift: 0, eft: 0, prompts: 0, meta: 600 }
const shown = world.demonstrations(counts, seededRandom(1))

/** Prompt, answer and both judgments of a comparison. */
function partsOf({ prompt }: Demonstration) {
  const [, first = '', second = '', asked = '', answer = ''] =
    /^<s> (.*?) or (.*?) \? (.*) <answer> ?(.*) <judge>$/.exec(prompt) ?? []
  return { asked, answer, first, second }
}
const scoreOf = (text: string) => {
  const verdict = world.readVerdict(text)
  return verdict.readable ? verdict.score : Number.NaN
}

test('comparisons fit, know the words, can be read, and are of prompts that are not held out', (t) => {
  t.is(shown.length, counts.meta)
  for (const demonstration of shown) {
    const { asked, answer, first, second } = partsOf(demonstration)
    const { prompt, completion, kind } = demonstration
    t.is(kind, 'meta')
    t.is(prompt, world.metaContext!(asked, answer, first, second))
    const [head, tail] = [prompt.split(' '), completion.split(' ')]
    t.true(head.length + tail.length <= world.limits.context && tail.length <= world.limits.preference!)
    t.true([...head, ...tail].every((word) => world.words.includes(word)))
    t.regex(completion, /^((yes|no) )+so ((yes|no) ){5}score (zero|one|two|three|four|five) so (one|two) <\/s>$/)
    t.true(world.readPreference!(completion) !== undefined)
    t.true(Number.isInteger(scoreOf(first)) && Number.isInteger(scoreOf(second)) && first !== second)
    t.false(world.isHeldOut(asked))
  }
})

test('the longest that a policy can be shown, with what is written of it, is within the context', (t) => {
  const words = (count: number) => new Array(count).fill('yes').join(' ')
  const { prompt, answer, verdict, preference, context } = world.limits
  const judgment = `${words(answer)} so ${words(verdict - answer - 1)}`
  const longest = world.metaContext!(words(prompt - 1), words(answer), judgment, judgment)
  t.true(longest.split(' ').length + preference! <= context, `${longest.split(' ').length} + ${preference}`)
})

test('people prefer the judgment that is nearer to gold far more often than not, and neither place', (t) => {
  const opinions = shown.map((demonstration) => {
    const { asked, answer, first, second } = partsOf(demonstration)
    const { points } = gold.score(asked, answer)
    const preferred = world.readPreference!(demonstration.completion)
    const lead = Math.abs(scoreOf(second) - points) - Math.abs(scoreOf(first) - points)
    return { preferred, nearer: lead === 0 ? undefined : lead > 0 ? 'first' : 'second' }
  })
  const told = opinions.filter(({ nearer }) => nearer !== undefined)
  const right = told.filter(({ preferred, nearer }) => preferred === nearer).length / told.length
  t.true(told.length > 300 && right > 0.7 && right < 0.98, `${right} of ${told.length}: with noise`)
  const first = opinions.filter(({ preferred }) => preferred === 'first').length / opinions.length
  t.true(Math.abs(first - 0.5) < 0.08, `${first}`)
})

test('the nearer score decides, then the criteria that are seen alike; else nobody is preferred', (t) => {
  const said = (score: number, criteria: string) => ({
    ...{ marks: [], score },
    criteria: [...criteria].map((mark) => mark === '+'),
  })
  const own = said(3, '+++--')
  t.is(preferredOf(own, said(4, '++++-'), said(5, '+++++')), 'first')
  t.is(preferredOf(own, said(0, '-----'), said(4, '++++-')), 'second')
  t.is(preferredOf(own, said(3, '++-+-'), said(3, '+++--')), 'second')
  t.is(preferredOf(own, said(4, '++-++'), said(2, '++---')), 'second', 'three seen otherwise against one')
  t.is(preferredOf(own, said(3, '++-+-'), said(3, '+-++-')), undefined)
})

test('a comparison ends with the word of its choice after the last `so`', (t) => {
  for (const [text, expected] of [
    ['yes yes no no no score two so one', 'first'],
    ['yes yes no no no score two so two </s>', 'second'],
    ['so one so two', 'second'],
    ['so one', 'first'],
    ['one', undefined],
    ['yes yes so', undefined],
    ['yes so three', undefined],
    ['yes so one two', undefined],
    ['', undefined],
  ] as const)
    t.is(world.readPreference!(text), expected, text)
})

test('where no comparisons are asked for, the other demonstrations are what they were', (t) => {
  const others = { ift: 30, eft: 30, prompts: 10 }
  t.deepEqual(
    world.demonstrations({ ...others, meta: 0 }, seededRandom(3)),
    world.demonstrations(others, seededRandom(3)),
  )
  const { meta, ...kept } = { ...others, meta: 10 }
  const all = world.demonstrations({ ...kept, meta }, seededRandom(3))
  const texts = new Set(all.map(({ completion }) => completion))
  t.true(world.demonstrations(others, seededRandom(3)).every(({ completion }) => texts.has(completion)))
})

test('nobody would be needed for comparing where nobody ever errs: people still differ in care', (t) => {
  const careful = createWorld({ annotatorNoise: 0, slips: 0 })
  t.is(careful.demonstrations({ ...counts, meta: 20 }, seededRandom(1)).length, 20)
})
