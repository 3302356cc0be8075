import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { z } from 'zod'
import { preferenceLoss, preferenceLosses } from '../../alignment/index.js'
import { resolveConfig } from '../../cli/config.js'
import { scenarios } from '../../scenarios/index.js'
import type { MethodConfig } from '../../scenarios/method-config.js'
import { createAnnotator } from '../../scenarios/worlds/default/annotator.js'
import { commands, fences, pages } from '../repository/documents.js'
import { ROOT } from '../repository/files.js'

const FOLDER = 'docs/methods'

/** Holds the rows of a page's table to what follows from the code; WRITE_DOCS=1 writes them there. */
function listed(name: string, begin: string, rows: readonly string[]): string[] {
  const path = join(ROOT, FOLDER, name)
  const page = readFileSync(path, 'utf8').split('\n')
  if (process.env.WRITE_DOCS === '1') {
    const others = page.filter((line) => !line.startsWith(begin))
    const rule = others.findIndex((line) => line.startsWith('|---'))
    writeFileSync(path, others.toSpliced(rule + 1, 0, ...rows).join('\n'))
  }
  return page.filter((line) => line.startsWith(begin))
}

const cell = (text: string) => text.replaceAll('|', '\\|')

test('docs/methods/losses.md lists exactly the losses of the registry', (t) => {
  const rows = Object.entries(preferenceLosses).map(([name, loss]) => {
    const parameters = Object.entries(loss.parameters.shape as Record<string, z.ZodType>).map(([key, schema]) => {
      const preset = schema.safeParse(undefined)
      return { key, value: preset.success ? `\`${key}\` ${preset.data}` : `\`${key}\` (to be given)`, preset, schema }
    })
    const needed = parameters.filter(({ preset }) => !preset.success)
    const given = needed.map(({ key, schema }) => [key, schema.safeParse(0.5).success ? 0.5 : true] as const)
    const { usesReference, needs, isSeparable } = loss.bind(name, Object.fromEntries(given))
    const reads = [usesReference ? 'ref' : 'π alone', ...needs.map((need) => READS[need])]
    const cells = [
      ...[`\`${name}\``, loss.formula, loss.summary, parameters.map(({ value }) => value).join(', ')],
      [...reads, ...(isSeparable ? [] : ['the whole batch'])].join(', '),
    ]
    return `| ${cells.map(cell).join(' | ')} |`
  })
  t.deepEqual(listed('losses.md', '| `', rows), rows)
})

const READS = {
  mismatched: 'mismatched completions',
  rewardShift: 'a running mean',
  referenceSide: 'who wrote',
} as const

test('docs/methods/README.md lists exactly the scenarios, with the defaults that make them', (t) => {
  const rows = Object.values(scenarios).map((scenario) => {
    const link = `[\`${scenario.name}\`](${scenario.name}.md)`
    if (scenario.name === 'self-rewarding')
      return `| ${link} | policy × 4 | the policy, as a judge | best-worst | dpo | iteration | iteration |`
    const { rater, sampler, answers, training, staleness, loss, rewardModel } = resolveConfig(scenario, undefined, [])
      .config as unknown as MethodConfig
    const writers = rater === 'people' ? [{ by: 'people', n: answers }] : sampler.writers
    const { objective, selection, reference } = training
    const isPairs = objective === 'preference'
    const isOwn = writers.some(({ by }) => by === 'policy' || by === 'mixture')
    const readsReference = objective === 'nll' || objective === 'rank' ? false : !isPairs || usesReference(loss)
    const cells = [
      ...[link, writers.map(({ by, n }) => `${by} × ${n}`).join(', ')],
      rater === 'reward-model' ? `reward model (${rewardModel.kind}, labels of ${rewardModel.labels})` : rater,
      ...[
        selection.rule,
        isPairs ? loss.name : objective,
        readsReference ? reference : '—',
        isOwn ? `${staleness.max}` : '—',
      ],
    ]
    return `| ${cells.join(' | ')} |`
  })
  t.deepEqual(listed('README.md', '| [`', rows), rows)
})

const usesReference = (loss: MethodConfig['loss']) => preferenceLoss(loss).usesReference

test('every scenario has a page', (t) => {
  for (const name of Object.keys(scenarios)) t.true(existsSync(join(ROOT, FOLDER, `${name}.md`)), name)
})

test('what the documentation sets in a scenario is a configuration of it, its loss and its annotator included', (t) => {
  for (const { where, words } of pages.flatMap((page) => fences(page, /^(sh|bash|shell|console)$/).flatMap(commands))) {
    const [verb, name = ''] = words.slice(words.indexOf('troupe') + 1)
    const scenario = scenarios[name]
    if (!scenario || (verb !== 'run' && verb !== 'sweep')) continue
    const after = (option: string) => words.filter((_, i) => words[i - 1] === option)
    const varied = after('--vary').flatMap((vary) => {
      const [key, values = ''] = vary.split('=')
      return values.split(',').map((value) => [`${key}=${value}`])
    })
    for (const more of varied.length > 0 ? varied : [[]]) {
      const settings = [...after('--set'), ...more]
      t.notThrows(
        () => {
          const { config } = resolveConfig(scenario, after('--preset')[0], settings)
          const { loss, annotator } = config as Partial<MethodConfig>
          if (loss && settings.some((setting) => setting.startsWith('loss.name'))) preferenceLoss(loss)
          if (annotator) createAnnotator(annotator.options)
        },
        `${where}: ${words.join(' ')}`,
      )
    }
  }
})
