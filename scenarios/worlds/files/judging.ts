import type { Verdict } from '../../../actors/world.js'

/** What a judge is asked: the additive rubric of Yuan et al. 2024 (arXiv 2401.10020, figure 2), shortened. */
export const judgeQuestion = (prompt: string, answer: string): string =>
  `Review the user's question and the response below with an additive 5-point scale: one point each if the response is relevant, \
if it addresses a substantial part of the question, if it answers the basic elements of it usefully, if it is clearly written and \
complete from an assistant's perspective, and if it is impeccable and without superfluous information.

<question>${prompt}</question>
<response>${answer}</response>

Justify your total in at most 100 words, then conclude with exactly one line of the form "Score: <points>".`

/** A judge's score: what follows the last `Score:`, a whole number from 0 to 5. */
export function readVerdict(text: string): Verdict {
  const said = [...text.matchAll(/\bscore:\s*\**\s*(\d+(?:\.\d+)?)/gi)].at(-1)?.[1]
  if (said === undefined) return { readable: false, reason: 'no score' }
  const score = Number(said)
  if (!Number.isInteger(score) || score > 5) return { readable: false, reason: `"${said}" is not a score` }
  return { readable: true, score }
}

/** What a meta-judge is asked (Wu et al. 2024, arXiv 2407.19594, figure 2, shortened). */
export const metaQuestion = (prompt: string, answer: string, first: string, second: string): string =>
  `Below are a user's question, a response to it, and two judgments of that response by an additive 5-point scale. Say which \
judgment is the more accurate one: whose points follow from what the response really does.

<question>${prompt}</question>
<response>${answer}</response>
<judgment 1>${first}</judgment 1>
<judgment 2>${second}</judgment 2>

Justify your choice in at most 100 words, then conclude with exactly one line of the form "Winner: <1 or 2>".`

/** What follows the last `Winner:`. */
export function readPreference(text: string): 'first' | 'second' | undefined {
  const said = [...text.matchAll(/\bwinner:\s*\**\s*(?:judgment )?(\w+)/gi)].at(-1)?.[1]
  if (said === '1') return 'first'
  return said === '2' ? 'second' : undefined
}

/** Asks for one more prompt after some examples (self-instruct, Wang et al. 2022). */
export const promptQuestion = (shots: readonly string[]): string =>
  `Come up with one more task like these. Write the task alone.\n\n${tasks(shots)}`

/** The same as a text to go on from. */
export const promptList = (shots: readonly string[]): string => `${tasks(shots)}\n\nTask ${shots.length + 1}:`

const tasks = (shots: readonly string[]) => shots.map((shot, i) => `Task ${i + 1}: ${shot}`).join('\n\n')

/** The prompt that a generated text holds: its first paragraph, without the number before it. */
export function readPrompt(text: string): { readonly prompt: string } | { readonly malformed: string } {
  const [first = ''] = text.trim().split(/\n\s*\n|\n(?=Task \d+:)/)
  const prompt = first.replace(/^Task \d+:/, '').trim()
  return prompt === '' ? { malformed: 'empty' } : { prompt }
}
