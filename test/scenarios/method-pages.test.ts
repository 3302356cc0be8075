import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { z } from 'zod'
import { preferenceLoss, preferenceLosses } from '../../alignment/index.js'
import { resolveConfig } from '../../cli/config.js'
import { schemaKeys } from '../../cli/schema-keys.js'
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

test('every scenario has a page, whose table of options has the defaults of the code (WRITE_DOCS=1 writes them there)', (t) => {
  const all = Object.values(scenarios).map((scenario) => {
    const path = join(ROOT, FOLDER, `${scenario.name}.md`)
    const page = existsSync(path) ? readFileSync(path, 'utf8') : `no page ${path}`
    const told = existsSync(path) ? withDefaultsOf(scenario, page) : ''
    if (process.env.WRITE_DOCS === '1' && told !== page) writeFileSync(path, told)
    return { page, told }
  })
  for (const { page, told } of all) t.is(page, told)
})

/** A page with the second column of its table of options as it is in the code, where all keys of a row are the scenario's. */
function withDefaultsOf(scenario: (typeof scenarios)[string], page: string): string {
  const known = schemaKeys(scenario.config).map(({ key }) => key)
  const config = scenario.config.parse({})
  return page.replaceAll(/^\| (`[^|]*) \| ([^|]*) \|([^|\n]*\|)$/gm, (row, names: string, _, rest: string) => {
    let group = ''
    const keys = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => {
      const key = name.startsWith('.') ? group + name : name
      group = key.slice(0, key.lastIndexOf('.'))
      return key
    })
    const values = keys.map((key) => valueAt(config, key))
    // what has no default is told in words; a loss's parameters have theirs from the loss
    if (keys.length === 0 || keys.some((key) => !known.includes(key) || /^loss\.(?!name$)/.test(key))) return row
    if (values.includes(undefined)) return row
    return `| ${names} | ${values.map(valueText).join(', ')} |${rest}`
  })
}

const valueAt = (config: unknown, key: string): unknown =>
  key.split('.').reduce((place, part) => (place as Record<string, unknown> | undefined)?.[part], config)

function valueText(value: unknown): string {
  if (typeof value === 'string') return `\`${value}\``
  if (typeof value === 'number') return value > 0 && value < 1e-3 ? value.toExponential() : String(value)
  if (!Array.isArray(value)) return typeof value === 'object' ? JSON.stringify(value) : String(value)
  const writers = value as readonly { by?: string; n?: number; weight?: number }[]
  if (!writers[0]?.by) return JSON.stringify(value).replaceAll(',', ', ')
  return writers.map(({ by, n, weight }) => `${by} × ${n}${weight === undefined ? '' : ` (${weight})`}`).join(', ')
}

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
