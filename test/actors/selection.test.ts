import test from 'ava'
import type { z } from 'zod'
import { type Selected, select, selectionSchema } from '../../actors/selection.js'
import type { Opinion } from '../../alignment/index.js'
import { groupOf } from './fixtures/objectives.js'

type Given = z.input<typeof selectionSchema>

const TEXTS = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox']
/** Selects from candidates with these scores, or as told. */
const from = (scores: readonly (number | undefined)[], rule: Given, more: Parameters<typeof groupOf>[1] = {}) =>
  select(groupOf(TEXTS.slice(0, scores.length), { scores, ...more }), selectionSchema.parse(rule))
const pair = (chosen: number, rejected: number): Selected => ({ pairs: [{ chosen, rejected }] })
const none = undefined

test('best-worst: the first of several best against the first of several worst', (t) => {
  const rule = { rule: 'best-worst' } as const
  t.deepEqual(select(groupOf(['ant', 'bee'], { scores: [1, 2] }), selectionSchema.parse(undefined)), pair(1, 0))
  t.deepEqual(from([3, 5, 1, 5, 1], rule), pair(1, 2))
  t.deepEqual(from([none, 2, 4], rule), pair(2, 1))
  t.deepEqual(from([2, 2, 2], rule), { dropped: 'tie' })
  t.deepEqual(from([none, 2, none], rule), { dropped: 'unreadable' })
  t.deepEqual(from([none, none], rule), { dropped: 'unreadable' })
  t.deepEqual(from([Number.NaN, 2], rule), { dropped: 'unreadable' })
  t.deepEqual(from([2, 3], { ...rule, minGap: 1 }), pair(1, 0))
  t.deepEqual(from([2, 2.9], { ...rule, minGap: 1 }), { dropped: 'tie' })
})

test('length-tier: the shortest of the upper tier against the longest of the lower', (t) => {
  const texts = ['ant', 'bee bee', 'cat cat cat', 'dog dog dog dog']
  const tier = (scores: readonly (number | undefined)[], rho: number) =>
    select(groupOf(texts, { scores }), selectionSchema.parse({ rule: 'length-tier', rho }))
  t.deepEqual(tier([1, 2, 4, 5], 0), pair(3, 0))
  t.deepEqual(tier([1, 2, 4, 5], 0.3), pair(2, 1), 'upper from 3.8, lower to 2.2')
  t.deepEqual(tier([5, 5, 1, 1], 0), pair(0, 3), 'length decides ties')
  t.deepEqual(tier([3, 3, 3, 3], 0.3), { dropped: 'tie' })
  t.deepEqual(tier([3, none, none, none], 0.3), { dropped: 'unreadable' })
})

test('all-pairs: every two that their scores order', (t) => {
  const rule = { rule: 'all-pairs' } as const
  t.deepEqual(from([2, 1, none, 2], rule), {
    pairs: [
      { chosen: 0, rejected: 1 },
      { chosen: 3, rejected: 1 },
    ],
  })
  t.deepEqual(from([1, 1], rule), { dropped: 'tie' })
  t.deepEqual(from([1, none], rule), { dropped: 'unreadable' })
})

/** Of three candidates, compared 0 with 1 and 2 with 1. */
const compared = (opinions: readonly [Opinion, Opinion?], rule: Given = {}) =>
  from(
    [none, none, none],
    { rule: 'compared', ...rule },
    {
      comparisons: opinions.flatMap((opinion, i) =>
        opinion === undefined ? [] : [i === 0 ? { first: 0, second: 1, opinion } : { first: 2, second: 1, opinion }],
      ),
    },
  )

test('compared: each comparison’s winner; a tie to nobody, or to the first; an unreadable one always to nobody', (t) => {
  t.deepEqual(compared(['first', 'second']), {
    pairs: [
      { chosen: 0, rejected: 1 },
      { chosen: 1, rejected: 2 },
    ],
  })
  t.deepEqual(compared([0.51]), pair(0, 1))
  t.deepEqual(compared([0.49]), pair(1, 0))
  t.deepEqual(compared([0.5]), { dropped: 'tie' })
  t.deepEqual(compared(['tie', 'second']), pair(1, 2))
  t.deepEqual(compared([0.5], { ties: 'first' }), pair(0, 1), 'OAIF: whoever has at least ½')
  t.deepEqual(compared(['tie', 'tie'], { ties: 'first' }), {
    pairs: [
      { chosen: 0, rejected: 1 },
      { chosen: 2, rejected: 1 },
    ],
  })
  t.deepEqual(compared(['invalid'], { ties: 'first' }), { dropped: 'unreadable' })
  t.deepEqual(compared(['invalid', 'tie']), { dropped: 'tie' })
  t.deepEqual(compared([1.5]), { dropped: 'unreadable' })
  t.deepEqual(from([1, 2], { rule: 'compared' }), { dropped: 'unreadable' }, 'scores are no comparisons')
})

test('listed: people’s answers over all others, whatever anybody thinks of them', (t) => {
  const writers = ['policy', 'people', 'first'] as const
  t.deepEqual(from([5, none, 1], { rule: 'listed' }, { writers }), {
    pairs: [
      { chosen: 1, rejected: 0 },
      { chosen: 1, rejected: 2 },
    ],
  })
  t.deepEqual(from([5, 1], { rule: 'listed' }), { dropped: 'unselected' })
  t.deepEqual(from([5, 1], { rule: 'listed' }, { writers: ['people', 'people'] }), { dropped: 'unselected' })
})

test('best: the first of several best alone', (t) => {
  t.deepEqual(from([1, 4, 4], { rule: 'best' }), { singles: [1] })
  t.deepEqual(from([none, 0], { rule: 'best' }), { singles: [1] })
  t.deepEqual(from([none, none], { rule: 'best' }), { dropped: 'unreadable' })
})

test('threshold: those above it, strictly', (t) => {
  const rule = { rule: 'threshold', threshold: 3 } as const
  t.deepEqual(from([3, 4, none, 5], rule), { singles: [1, 3] })
  t.deepEqual(from([3, none], rule), { dropped: 'unselected' })
  t.deepEqual(from([none, none], rule), { dropped: 'unreadable' })
})

/** Of one token each, and as likely as this. */
const likely = (scores: readonly (number | undefined)[], logprobs: readonly number[]) =>
  from(scores, { rule: 'likelihood', threshold: 3 }, { behaviour: logprobs.map((value) => Float32Array.of(value, -1)) })

test('likelihood: each undesired against the likeliest desired one that is less likely than itself', (t) => {
  t.deepEqual(likely([5, 1, 4, 5], [-9, -2, -3, -1]), pair(2, 1))
  t.deepEqual(likely([5, 1, 3, 4], [-9, -2, -4, -3]), {
    pairs: [
      { chosen: 3, rejected: 1 },
      { chosen: 0, rejected: 2 },
    ],
  })
  t.deepEqual(likely([5, 1], [-1, -2]), { dropped: 'unselected' }, 'no desired one is less likely')
  t.deepEqual(likely([5, 1], [-2, -2]), { dropped: 'unselected' }, 'equal texts are equally likely')
  t.deepEqual(likely([5, 4], [-1, -2]), { dropped: 'unselected' }, 'none is undesired')
  t.deepEqual(likely([1, 2], [-1, -2]), { dropped: 'unselected' })
  t.deepEqual(likely([5, none, 1], [-3, -2, -1]), { dropped: 'unreadable' }, 'an answer that is not known to be either')
})

test('all: whatever was rated, by a score or in a comparison that could be read', (t) => {
  t.deepEqual(from([1, none, 0], { rule: 'all' }), { singles: [0, 2] })
  t.deepEqual(
    from(
      [none, none, none, none],
      { rule: 'all' },
      {
        comparisons: [
          { first: 3, second: 1, opinion: 'tie' },
          { first: 0, second: 2, opinion: 'invalid' },
        ],
      },
    ),
    { singles: [1, 3] },
  )
  t.deepEqual(from([none, none], { rule: 'all' }), { dropped: 'unreadable' })
})

test('identical texts: equal scores never pair, and a comparison of them is a tie', (t) => {
  const twins = groupOf(['ant', 'ant'], { scores: [3, 3], comparisons: [{ first: 0, second: 1, opinion: 'tie' }] })
  for (const rule of ['best-worst', 'all-pairs', 'length-tier', 'compared'] as const)
    t.deepEqual(select(twins, selectionSchema.parse({ rule })), { dropped: 'tie' }, rule)
})
