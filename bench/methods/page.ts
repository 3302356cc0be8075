import { meanInterval } from '../../alignment/index.js'
import type { Arm, Outcome } from './arms.js'

/** The page of results: a row an arm, over its seeds. */
export function methodsPage(outcomes: readonly Outcome[], arms: readonly Arm[], machine: string): string {
  const shown = outcomes.filter(({ arm }) => arms.some(({ name }) => name === arm))
  const rows = arms.flatMap((arm) => {
    const own = shown.filter((outcome) => outcome.arm === arm.name)
    return own.length === 0 ? [] : [rowOf(arm, own)]
  })
  const commits = [...new Set(shown.map(({ commit }) => commit))].join(', ')
  const most = Math.max(...shown.map(({ seed }) => seed))
  return `# What each scenario comes to

Preset \`quick\` of every scenario, seeds 1 to ${most}; written by \`npm run methods -- --seeds ${most} --write docs/results/methods.md\` at ${commits},
on ${machine}, stage threads. Gold points are of 5, on 200 held-out prompts × 4 answers, by the scorer that only
the evaluator sees; the gain is that of the last model over M1, with its 95 % t interval over seeds. Times are wall time of whole runs, other work on the
machine included where there was some.

Step sizes, sample counts and prices of KL were chosen by looking at seed 1 (one to six runs a scenario, gold score among what was looked at); seeds
2 and 3 were run for this table alone. People's own answers score 3.2 on average. What a page of a method says of a row is in
[its page](../methods/README.md).

| scenario | M1 | last | gain | win rate against M1 | KL to M1, nats | tokens | lag | seconds, at most |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}

function rowOf(arm: Arm, own: readonly Outcome[]): string {
  const mean = (of: (outcome: Outcome) => number) => own.reduce((sum, outcome) => sum + of(outcome), 0) / own.length
  const gain = meanInterval(own.map((outcome) => outcome.gain))
  const sign = (value: number) => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`
  const cells = [
    `\`${arm.scenario}${arm.settings.map((setting) => ` --set ${setting}`).join('')}\``,
    mean(({ first }) => first).toFixed(2),
    mean(({ last }) => last).toFixed(2),
    `${sign(gain.mean)} [${sign(gain.low)}, ${sign(gain.high)}]`,
    `${(100 * mean(({ winRate }) => winRate)).toFixed(1)} %`,
    mean(({ kl }) => kl).toFixed(2),
    `${mean(({ lengths }) => lengths[0]).toFixed(1)} → ${mean(({ lengths }) => lengths[1]).toFixed(1)}`,
    mean(({ lagMean }) => lagMean).toFixed(1),
    Math.max(...own.map(({ seconds }) => seconds)).toFixed(0),
  ]
  return `| ${cells.join(' | ')} |`
}
