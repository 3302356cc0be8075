import type { Mark, SurveyLine, SurveyRow } from '../../scenarios/claims/index.js'
import { renderTable } from '../table.js'

const SIGNS: Readonly<Record<Mark, string>> = { yes: 'O', partly: '△', no: 'X' }
const COLUMNS: readonly { readonly key: keyof SurveyRow; readonly head: string }[] = [
  { key: 'noHumanPreferences', head: 'no human preferences' },
  { key: 'onPolicy', head: 'own samples' },
  { key: 'onlineFeedback', head: 'online feedback' },
  { key: 'noExternalApi', head: 'no external API' },
  { key: 'models', head: 'models' },
]

const sign = (value: Mark | number): string => (typeof value === 'number' ? String(value) : SIGNS[value])

/** `O`, or `O (X)` where the survey has another mark. */
function cellOf({ declared, survey }: SurveyLine, key: keyof SurveyRow): string {
  const [ours, theirs] = [sign(declared[key]), sign(survey[key])]
  return ours === theirs ? ours : `${ours} (${theirs})`
}

const heads = ['method', ...COLUMNS.map(({ head }) => head), 'actors of a run', 'contradicted by it']

const cellsOf = (line: SurveyLine): string[] => [
  line.scenario,
  ...COLUMNS.map(({ key }) => cellOf(line, key)),
  line.used.actors.join(', '),
  line.contradicted.join(', ') || '–',
]

/** The survey's closing table as the scenarios declare it, the survey's own mark in brackets where it differs. */
export function surveyText(lines: readonly SurveyLine[]): string {
  const shown = heads.filter((head) => head !== 'actors of a run')
  const table = renderTable(
    shown.map((head) => ({ head, align: 'left' as const })),
    lines.map((line) => cellsOf(line).filter((_, i) => heads[i] !== 'actors of a run')),
  )
  return [table, '', ...lines.flatMap(({ scenario, why }) => (why ? [`${scenario}: ${why}`] : []))].join('\n')
}

/** The same for the results page. */
export function surveySection(lines: readonly SurveyLine[]): string[] {
  return [
    '## The survey’s closing table',
    '',
    'What each scenario declares, with the survey’s mark in brackets where it has another (O yes, △ partly, X no), and who took part',
    'in a run of it: the last column names what of the declaration the run contradicts.',
    '',
    `| ${heads.join(' | ')} |`,
    `|${heads.map(() => '---').join('|')}|`,
    ...lines.map((line) => `| ${cellsOf(line).join(' | ')} |`),
    '',
    ...lines.flatMap(({ scenario, why }) => (why ? [`* ${scenario}: ${why}.`] : [])),
    '',
  ]
}
