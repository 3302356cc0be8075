import { join } from 'node:path'
import test from 'ava'
import { loadCheckpoint, paramLayout } from '../../models/index.js'
import { selfRewarding } from '../../scenarios/self-rewarding.js'
import { selfRewardingConfig } from '../../scenarios/self-rewarding-config.js'
import { planOf } from '../../scenarios/self-rewarding-plan.js'
import { TINY_GOLD, TINY_WORLD } from '../actors/fixtures/alone.js'
import { createWorld } from '../actors/fixtures/tiny-world.js'
import { runOptions, tinyConfig, tinyRun } from './fixtures/tiny-run.js'

test('the gold scorer is known to the evaluator alone', async (t) => {
  for (const config of [tinyConfig(), selfRewardingConfig.parse({})]) {
    const { evaluator, common: _, ...others } = await planOf(config, 'onnx', 'out')
    t.deepEqual(Object.keys(others).sort(), ['generator', 'judge', 'learner', 'sampler', 'source'])
    t.is(evaluator.gold?.module, config.gold.module)
    for (const [role, given] of Object.entries(others)) {
      const text = JSON.stringify(given)
      t.false(text.includes(config.gold.module), role)
      t.notRegex(text, /gold/i, role)
      t.true(text.includes(config.world.module), role)
    }
  }
  t.not(TINY_GOLD.module, TINY_WORLD.module)
})

test('a run leaves its models as checkpoints that read back', async (t) => {
  const run = await tinyRun('inline', { iterations: [8, 8, 8] })
  t.deepEqual(Object.keys(run.weights).sort(), ['M1', 'M2', 'M3', 'M4'])
  t.deepEqual(
    run.summary.iterations.map(({ name }) => name),
    ['M1', 'M2', 'M3', 'M4'],
  )
  const { model } = (await planOf(tinyConfig(), 'onnx', 'out')).common
  const seen = new Set<string>()
  for (const name of Object.keys(run.weights)) {
    const { config, params, tokenizer } = await loadCheckpoint(join(run.out, 'checkpoints', name))
    t.deepEqual(config, model)
    t.is(params.length, paramLayout(model).total)
    t.is(tokenizer!.decode(tokenizer!.encode('copy ant bee')), 'copy ant bee')
    t.is(tokenizer!.vocabSize, createWorld().words.length)
    seen.add(Buffer.from(params.buffer).toString('base64'))
  }
  t.is(seen.size, 4, 'four different models')
})

test('without demonstrations of judging, far fewer verdicts can be read and far fewer pairs appear', async (t) => {
  const taught = (await tinyRun('inline')).summary
  const untaught = (await tinyRun('inline', { eft: false })).summary
  t.is(untaught.samples.issued, taught.samples.issued)
  t.true(taught.samples.consumed > 48, `${taught.samples.consumed} of 64`)
  t.true(untaught.samples.consumed < 0.25 * taught.samples.consumed, `${untaught.samples.consumed} pairs`)
  t.true(untaught.samples.dropped.unreadable! > 40)
  t.is(taught.samples.dropped.unreadable ?? 0, 0)
})

for (const [what, settings, message] of [
  ['a batch larger than an update', { batch: 9 }, /batch is 9, more than promptsPerUpdate \(8\)/],
  ['a width that heads do not divide', { model: { hiddenSize: 32, heads: 3, kvHeads: 3 } }, /32 wide .* 3 heads/],
  ['an odd size of head', { model: { hiddenSize: 15, heads: 3, kvHeads: 3 } }, /headDim|even|odd/],
] as const)
  test(`${what} is refused before anything starts`, async (t) => {
    const events: unknown[] = []
    const options = runOptions(tinyConfig(settings), { observe: (event) => events.push(event) })
    await t.throwsAsync(selfRewarding.run(options), { code: 'E_CONFIG', message })
    t.deepEqual(events, [])
  })
