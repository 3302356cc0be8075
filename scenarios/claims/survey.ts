import { scenarios } from '../index.js'
import type { MethodTraits, Scenario } from '../scenario.js'
import { type ArmResult, runArm, type Settings } from './arms.js'
import type { Trial } from './claim.js'
import { TINY_SELF_REWARDING } from './trained/self-rewarding.js'

/** `yes`, `partly`, `no`: the survey's O, △ and X. */
export type Mark = 'yes' | 'partly' | 'no'

/** The five columns of the survey's closing table. */
export interface SurveyRow {
  /** It needs no people who rate. */
  readonly noHumanPreferences: Mark
  /** It learns from what the policy in training writes. */
  readonly onPolicy: Mark
  readonly onlineFeedback: Mark
  /** It needs nobody from outside who is paid for each rating. */
  readonly noExternalApi: Mark
  /** Models in memory while the policy is trained. */
  readonly models: number
}

export interface SurveyLine {
  readonly scenario: string
  readonly survey: SurveyRow
  readonly declared: SurveyRow
  /** What a run of it consisted of. */
  readonly used: {
    readonly actors: readonly string[]
    /** Greatest age of a sample, in updates. */
    readonly lagMax: number
    /** Who rated or wrote preferences, as the actors show it. */
    readonly noHumanPreferences: Mark
    readonly onPolicy: Mark
    readonly noExternalApi: Mark
  }
  /** Columns in which what was used is not what is declared; empty is right. */
  readonly contradicted: readonly string[]
  /** Why what is declared differs from the survey's row. */
  readonly why?: string | undefined
}

const row = (marks: string, models: number): SurveyRow => {
  const [noHumanPreferences, onPolicy, onlineFeedback, noExternalApi] = [...marks].map(
    (mark) => ({ O: 'yes', T: 'partly', X: 'no' })[mark] as Mark,
  ) as [Mark, Mark, Mark, Mark]
  return { noHumanPreferences, onPolicy, onlineFeedback, noExternalApi, models }
}

/** The survey's rows (O yes, T partly, X no), and why ours are not the same. */
const SURVEY: readonly { readonly scenario: string; readonly survey: SurveyRow; readonly why?: string }[] = [
  { scenario: 'rlhf', survey: row('XOOO', 4) },
  {
    scenario: 'rlaif',
    survey: row('OOOX', 4),
    why: 'REINFORCE needs no value model (its paper has one as a baseline)',
  },
  { scenario: 'rest', survey: row('XOOO', 4), why: 'the algorithm itself has a policy and a reward model' },
  {
    scenario: 'slic-hf',
    survey: row('XXXO', 2),
    why: 'sample-rank learns from the first model’s samples; no frozen reference in its loop, the ranker labels before it',
  },
  { scenario: 'dpo', survey: row('XXXO', 2) },
  { scenario: 'ipo', survey: row('XXXO', 2) },
  { scenario: 'rrhf', survey: row('XTXO', 1) },
  {
    scenario: 'click',
    survey: row('XTXO', 1),
    why: 'an attribute’s classifier rates, not people; pairs are made anew from the model’s own generations',
  },
  {
    scenario: 'spin',
    survey: row('OTOO', 2),
    why: 'opponents are the previous iterate’s, but nobody rates: there is no feedback to be online',
  },
  { scenario: 'rejection-sampling', survey: row('XOOO', 2) },
  {
    scenario: 'rso',
    survey: row('XOXO', 3),
    why: 'candidates are the first model’s, accepted as if the optimal policy had written them',
  },
  { scenario: 'iterative-dpo', survey: row('XOOO', 3) },
  { scenario: 'self-rewarding', survey: row('TOOO', 2) },
  { scenario: 'oaif', survey: row('OOOX', 2) },
]

/** What a scenario says of itself, in the survey's columns. An annotator from outside is no model in memory. */
export function declaredRow({ humanPreferences, onPolicy, feedback, frozen, trainable }: MethodTraits): SurveyRow {
  const preferences = { none: 'yes', demonstrations: 'yes', 'seed judgments': 'partly' } as const
  const own = { 'every step': 'yes', 'per iteration': 'yes', 'initial model': 'partly', no: 'no' } as const
  const within = frozen.filter((model) => model !== 'annotator')
  return {
    noHumanPreferences: preferences[humanPreferences as keyof typeof preferences] ?? 'no',
    onPolicy: own[onPolicy],
    onlineFeedback: feedback === 'offline' ? 'no' : 'yes',
    noExternalApi: frozen.includes('annotator') ? 'no' : 'yes',
    models: trainable.length + within.length,
  }
}

/** Runs every scenario of the survey at the least size, and sets what took part beside what it declares. */
export async function surveyTable(trial: Omit<Trial, 'scale'>): Promise<SurveyLine[]> {
  const lines: SurveyLine[] = []
  for (const { scenario: name, survey, why } of SURVEY) {
    const scenario = scenarios[name] as Scenario
    const arm = await runArm({ ...trial, scale: 'tiny' }, name, leastOf(name))
    const declared = declaredRow(scenario.traits as MethodTraits)
    const used = usedIn(arm, scenario.traits as MethodTraits)
    const columns = ['noHumanPreferences', 'onPolicy', 'noExternalApi'] as const
    const contradicted = columns.filter((column) => used[column] !== declared[column])
    const isSame = (Object.keys(survey) as (keyof SurveyRow)[]).every((column) => survey[column] === declared[column])
    lines.push({ scenario: name, survey, declared, used, contradicted, why: isSame ? undefined : why })
  }
  return lines
}

const leastOf = (name: string): Settings =>
  name === 'self-rewarding' ? TINY_SELF_REWARDING : { demonstrations: { ift: 256 }, iterations: [32] }

/**
 * What the actors show: pairs of people come from `preference-source`, paid ratings from an annotator, unless the annotator
 * stands for a classifier; who wrote is told by the sampler and its writers.
 */
function usedIn({ actors, summary }: ArmResult, traits: MethodTraits): SurveyLine['used'] {
  const has = (role: string) => actors.some((name) => name === role || name.startsWith(`${role} of`))
  const isClassifier = traits.frozen.includes('attribute classifier')
  const wroteItself = has('sampler')
  const { writers = [] } = (summary.config as { sampler: { writers?: { by: string }[] } }).sampler ?? {}
  const isFirst = writers.some(({ by }) => by === 'first') && !writers.some(({ by }) => by === 'policy')
  return {
    actors,
    lagMax: summary.staleness.lag.max,
    noHumanPreferences: has('preference-source') ? 'no' : has('judge') ? 'partly' : 'yes',
    onPolicy: wroteItself ? (isFirst ? 'partly' : 'yes') : 'no',
    noExternalApi: has('annotator') && !isClassifier ? 'no' : 'yes',
  }
}
