import { figure } from '../live/text.js'
import { type Html, html } from './html.js'
import type { Json } from './read.js'

/** A handful of samples as people read them: prompt, answers, what the judge gave, what was learnt from. */
export function sampleSection(samples: readonly Json[]): Html {
  if (samples.length === 0) return html``
  return html`<h2>Samples</h2>
<p class="caption">Spread evenly over the run. All are in samples.jsonl.</p>
<div class="samples">${samples.map(sampleCard)}</div>`
}

function sampleCard(sample: Json): Html {
  const completions = Array.isArray(sample.completions) ? sample.completions.filter(isRecord) : []
  return html`<article class="sample">
<p class="facts">${facts(sample).join(' · ')}</p>
<p class="prompt">${text(sample.prompt)}</p>
<table><tbody>${completions.map((completion, index) => answerRow(completion, index, sample))}</tbody></table>
</article>`
}

function answerRow(completion: Json, index: number, sample: Json): Html {
  const role = index === sample.chosen ? 'chosen' : index === sample.rejected ? 'rejected' : ''
  const verdicts = Array.isArray(completion.verdicts) ? completion.verdicts.map(text) : []
  const unreadable = Number(completion.unreadable ?? 0)
  const marks = [...verdicts, ...Array.from({ length: Math.min(unreadable, 20) }, () => 'unreadable')]
  return html`<tr class="${role}"><td class="role">${role}</td><td class="answer">${text(completion.text)}</td>
<td class="number">${typeof completion.score === 'number' ? figure(completion.score) : '–'}</td><td class="verdicts">${marks.join(', ')}</td></tr>`
}

function facts(sample: Json): string[] {
  const out: string[] = []
  if (sample.iteration !== undefined) out.push(`iteration ${text(sample.iteration)}`)
  if (sample.update !== undefined) out.push(`update ${text(sample.update)}`)
  if (isRecord(sample.version)) out.push(`written by version ${span(sample.version)}`)
  if (isRecord(sample.judgeVersion)) out.push(`judged by version ${span(sample.judgeVersion)}`)
  if (sample.lag !== undefined) out.push(`lag ${text(sample.lag)}`)
  if (sample.judgeLag !== undefined) out.push(`judge lag ${text(sample.judgeLag)}`)
  if (sample.dropped !== undefined) out.push(`dropped: ${text(sample.dropped)}`)
  return out
}

function span(version: Json): string {
  return version.start === version.end ? text(version.start) : `${text(version.start)} to ${text(version.end)}`
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
