import { boundsText, criterionOf, type SurveyLine } from '../../scenarios/claims/index.js'
import { figure } from '../live/text.js'
import { intervalText, type Outcome, otherCommits } from './outcome.js'
import { surveySection } from './survey.js'

export interface PageFacts {
  readonly commit: string
  readonly machine: string
  /** ISO 8601. */
  readonly at: string
  readonly scale: string
}

/** The results page, as Markdown: what was claimed, what came out, and every figure of every seed. */
export function claimsPage(outcomes: readonly Outcome[], survey: readonly SurveyLine[], facts: PageFacts): string {
  const count = (verdict: string) => outcomes.filter((outcome) => outcome.verdict === verdict).length
  const lines = [
    '# Claims',
    '',
    `Written by \`troupe claims\` on ${facts.at.slice(0, 10)}, commit \`${facts.commit}\`, scale \`${facts.scale}\`, ${facts.machine}.`,
    'Each claim is a statement of the literature, tried by an experiment that is small enough to be repeated:',
    '',
    '```sh',
    ...(survey.length > 0 ? ['npx troupe claims --table'] : []),
    `npx troupe claims --scale ${facts.scale} --write docs/results/claims.md`,
    '```',
    '',
    'What would count as what is fixed in the code of the claim (`scenarios/claims/`). An interval is 95 %, Student’s t over seeds. A',
    'condition holds where the whole interval lies within its bounds, does not hold where it lies outside, and cannot be told where',
    'it reaches over a bound. A claim holds where all of its conditions do, and does not where one does not.',
    `Of ${outcomes.length} claims ${count('holds')} hold, ${count('does not hold')} do not, and of ${count('cannot tell')} it cannot be told.`,
    '',
    '| | claim | the paper | ours | |',
    '|---|---|---|---|---|',
    ...outcomes.map(summaryRow),
    '',
    ...(survey.length > 0 ? surveySection(survey) : []),
    ...outcomes.flatMap((outcome) => section(outcome, facts.commit)),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

function summaryRow({ claim, checks, verdict }: Outcome): string {
  const ours = checks.map(({ what, interval }) => `${what}: ${intervalText(interval)}`).join('; ')
  return `| ${claim.id} | ${cell(claim.title)} | ${cell(claim.paper)} | ${cell(ours)} | **${verdict}** |`
}

function section(outcome: Outcome, commit: string): string[] {
  const { claim, checks, records, verdict } = outcome
  const others = otherCommits(outcome, commit)
  const seconds = records.reduce((sum, { durationMs }) => sum + durationMs, 0) / records.length / 1000
  return [
    `## ${claim.id}: ${claim.title}`,
    '',
    `${claim.statement} *${claim.paper}.*`,
    '',
    `Here: ${claim.setup} Seeds ${records.map(({ seed }) => seed).join(', ')}; ${figure(seconds)} s a seed.`,
    ...(others.length > 0 ? [`Measured at commit ${others.map((other) => `\`${other}\``).join(', ')}.`] : []),
    '',
    `**${verdict}**. ${criterionOf(claim)}.`,
    '',
    '| condition | bounds | ours | |',
    '|---|---|---|---|',
    ...checks.map((check, i) => {
      const bounds = boundsText(claim.checks[i]!)
      return `| ${cell(check.what)} | ${bounds} | ${intervalText(check.interval)} | ${check.verdict} |`
    }),
    '',
    ...(claim.notes ? [claim.notes, ''] : []),
    ...figuresTable(outcome),
    '',
  ]
}

/** Every figure of every seed, folded away. */
function figuresTable({ records }: Outcome): string[] {
  const names = [...new Set(records.flatMap(({ figures }) => Object.keys(figures)))]
  const shown = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : figure(value))
  return [
    '<details><summary>Figures by seed</summary>',
    '',
    `| figure | ${records.map(({ seed }) => seed).join(' | ')} |`,
    `|---|${records.map(() => '---').join('|')}|`,
    ...names.map((name) => `| ${name} | ${records.map(({ figures }) => shown(figures[name])).join(' | ')} |`),
    '',
    '</details>',
  ]
}
