import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { seededRandom } from '../../../runtime/time/index.js'
import { laid } from '../../../scenarios/claims/arms.js'
import { claims, type Trial } from '../../../scenarios/claims/index.js'
import { COMMON, createWorld } from '../../../scenarios/claims/trained/forgetting-world.js'

const claimOf = (id: string) => claims.find((claim) => claim.id === id)!

test('arms begin with one M1, and run once whichever claim asks for them', async (t) => {
  t.timeout(110_000)
  const out = mkdtempSync(join(tmpdir(), 'troupe-test-'))
  t.teardown(() => rmSync(out, { recursive: true, force: true }))
  const lines: string[] = []
  const { signal } = new AbortController()
  const log = (line: string) => void lines.push(line)
  const trial: Trial = { seed: 1, scale: 'tiny', backend: 'onnx', out, commit: 'test', signal, log }

  const figures = await claimOf('C18').experiment(trial)
  t.is(lines.length, 3, lines.join('\n')) // M1, online, offline
  t.is(figures.online1, figures.offline1)
  t.true([...Array(17).keys()].every((i) => Number.isFinite(figures[`offline${i + 1}`])))
  t.true((figures.accuracy16 ?? 0) > 0)

  const again = await claimOf('C36').experiment(trial)
  t.is(lines.length, 3, 'both of its arms were there')
  t.is(again.online, figures.online17)
  t.true(readdirSync(out).every((name) => /^(dpo|oaif)-1-[0-9a-f]{12}$/.test(name)))
})

test('settings lie over settings key by key; lists are replaced', (t) => {
  const under = { a: { b: 1, c: [1, 2] }, d: 1 }
  t.deepEqual(laid(under, { a: { c: [3] }, e: 2 }), { a: { b: 1, c: [3] }, d: 1, e: 2 })
  t.deepEqual(under, { a: { b: 1, c: [1, 2] }, d: 1 })
})

test('in the forgetting world only the first prompts, and all held-out ones, ask for alphabetical order', (t) => {
  const world = createWorld({})
  const prompts = world.prompts(2 * COMMON, seededRandom(1, 'prompts'), { heldOut: false })
  const asks = (prompt: string) => prompt.includes('alphabetically')
  t.is(new Set(prompts).size, 2 * COMMON)
  // One family of seven: 55 expected of 384, standard deviation 7.
  t.true(prompts.slice(0, COMMON).filter(asks).length > 25)
  t.is(prompts.slice(COMMON).filter(asks).length, 0)
  t.true(world.prompts(20, seededRandom(1, 'held out'), { heldOut: true }).every(asks))
})
