import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit, machine } from '../../bench/figures.js'
import { TroupeError } from '../../runtime/kernel/errors.js'
import type { Backend } from '../../runtime/tensor/index.js'
import { realClock } from '../../runtime/time/clock.js'
import { type Claim, criterionOf, type SurveyLine, type Trial } from '../../scenarios/claims/index.js'
import { chooseBackend } from '../backends.js'
import { type Outcome, otherCommits, outcomeOf } from '../claims/outcome.js'
import { claimsPage } from '../claims/page.js'
import { type ClaimRecords, openRecords } from '../claims/records.js'
import { surveyText } from '../claims/survey.js'
import { claimsList, claimsTable } from '../claims/terminal.js'
import { describeError, EXIT } from '../exit.js'
import { listenForInterrupt } from '../interrupt.js'
import { duration } from '../live/text.js'
import { suggest } from '../nearest.js'
import type { ClaimsArguments } from '../program.js'

const SEEDS = 3

/** `troupe claims`: exit code 0 where every experiment ended, whatever the verdicts; 1 where one failed. */
export async function claims(names: readonly string[], options: ClaimsArguments): Promise<number> {
  const { claims: all } = await import('../../scenarios/claims/index.js')
  const asked = names.length > 0 ? names.map((name) => find(name, all)) : all
  if (options.list) {
    const listed = asked.map((claim) => ({ ...about(claim), seeds: seedsOf(claim, options) }))
    process.stdout.write(`${options.json ? JSON.stringify(listed, null, 2) : claimsList(asked)}\n`)
    return EXIT.done
  }
  const { backend, why } = await chooseBackend(options.backend, { stage: 'threads' })
  console.error(`backend ${backend}: ${why}`)
  const records = openRecords(options.out)
  const interrupt = listenForInterrupt(
    { stopping: () => console.error('Stopping; what was measured is kept'), last: () => {} },
    realClock.now,
  )
  if (options.fresh) rmSync(armsIn(options.out), { recursive: true, force: true })
  const means: Means = { backend, records, signal: interrupt.signal }
  const facts = {
    commit: commit(),
    machine: machine(),
    at: new Date(realClock.now()).toISOString(),
    scale: options.scale,
  }
  let failed = 0
  try {
    if (options.table) await measureSurvey(options, means)
    else
      for (const claim of asked) {
        if (interrupt.signal.aborted) break
        failed += await measure(claim, options, means)
      }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.dispose()
  }
  const outcomes = (list: readonly Claim[]) =>
    list.flatMap((claim) => outcomeOf(claim, records.of(claim.id, options.scale).values()) ?? [])
  const shown = options.table ? [] : outcomes(asked)
  const survey = keptSurvey(options.out)
  warnOfOthers(shown, facts.commit)
  if (options.write !== undefined) write(options.write, claimsPage(outcomes(all), survey?.lines ?? [], facts))
  const found = options.table ? { survey: survey?.lines ?? [] } : { claims: shown.map(told) }
  const text = options.table ? surveyText(survey?.lines ?? []) : claimsTable(shown)
  process.stdout.write(`${options.json ? JSON.stringify({ ...facts, ...found }, null, 2) : text}\n`)
  return interrupt.exitCode() ?? (failed > 0 ? EXIT.failed : EXIT.done)
}

function find(name: string, all: readonly Claim[]): Claim {
  const found = all.find(({ id }) => id.toLowerCase() === name.toLowerCase())
  if (found) return found
  throw new TroupeError('E_CONFIG', `unknown claim "${name}"`, {
    hint: suggest(
      name,
      all.map(({ id }) => id),
      'claims',
    ),
  })
}

const seedsOf = (claim: Claim, { seeds }: ClaimsArguments) => (claim.isExact ? 1 : (seeds ?? claim.seeds ?? SEEDS))

interface Means {
  readonly backend: Backend
  readonly records: ClaimRecords
  readonly signal: AbortSignal
}

/** Runs that claims share; those of each commit apart. */
const armsIn = (out: string) => join(out, 'arms')

/** Measures the seeds that the folder lacks; the number of those that failed. */
async function measure(claim: Claim, options: ClaimsArguments, { backend, records, signal }: Means): Promise<number> {
  const { scale, fresh = false } = options
  const kept = fresh ? new Map() : records.of(claim.id, scale)
  const now = commit()
  let failed = 0
  for (let seed = 1; seed <= seedsOf(claim, options) && !signal.aborted; seed++) {
    if (kept.has(seed)) continue
    const log = (line: string) => console.error(`${claim.id} seed ${seed}: ${line}`)
    const begun = realClock.now()
    const trial: Trial = { seed, scale, backend, out: armsIn(options.out), commit: now, signal, log }
    try {
      const figures = await claim.experiment(trial)
      const durationMs = realClock.now() - begun
      const at = new Date(begun).toISOString()
      records.add({
        claim: claim.id,
        seed,
        scale,
        backend,
        commit: now,
        machine: machine(),
        at,
        durationMs,
        figures,
      })
      log(`done in ${duration(durationMs)}`)
    } catch (error) {
      if (signal.aborted) break
      failed++
      log(`failed: ${describeError(error)}`)
    }
  }
  return failed
}

/** One small run of every method of the survey; what they were is kept for the page. */
async function measureSurvey(options: ClaimsArguments, { backend, signal }: Means): Promise<void> {
  const { surveyTable } = await import('../../scenarios/claims/index.js')
  const log = (line: string) => console.error(line)
  const now = commit()
  const lines = await surveyTable({ seed: 1, backend, out: armsIn(options.out), commit: now, signal, log })
  writeFileSync(surveyIn(options.out), JSON.stringify({ commit: now, lines }))
}

const surveyIn = (out: string) => join(out, 'survey.json')

function keptSurvey(out: string): { readonly lines: readonly SurveyLine[] } | undefined {
  const path = surveyIn(out)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

function warnOfOthers(outcomes: readonly Outcome[], now: string): void {
  for (const outcome of outcomes) {
    const others = otherCommits(outcome, now)
    if (others.length === 0) continue
    console.error(`${outcome.claim.id}: figures of commit ${others.join(', ')}, not of ${now}; --fresh measures anew`)
  }
}

function write(path: string, page: string): void {
  try {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, page)
  } catch (cause) {
    throw new TroupeError('E_CONFIG', `cannot write the page "${path}"`, { cause, hint: 'Give --write another name' })
  }
  console.error(`The page is ${path}`)
}

function about(claim: Claim) {
  const { id, title, statement, paper, setup, notes = null } = claim
  return { id, title, statement, paper, setup, criterion: criterionOf(claim), notes }
}

function told({ claim, verdict, checks, records }: Outcome) {
  const seeds = records.map(({ claim: _, machine: __, ...record }) => record)
  return { ...about(claim), verdict, checks, seeds }
}
