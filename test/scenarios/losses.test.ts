import test from 'ava'
import { preferenceLosses } from '../../alignment/losses/registry/index.js'
import { CLOSED_FORMS } from '../alignment/losses/closed-forms.js'
import { tinyMethodRun } from './fixtures/tiny-method.js'

const choices = [
  ...CLOSED_FORMS.map(({ choice }) => choice),
  ...[{ name: 'aot' }, { name: 'kto' }, { name: 'ld-dpo', alpha: 0.5 }, { name: 'xpo' }],
  { name: 'cringe', margin: 1, temperature: 1, detached: true },
]
const SMALL = { demonstrations: { ift: 64 }, iterations: [4], evaluation: { prompts: 2, samples: 1 } }

test('every loss of the family is among those that are run', (t) => {
  t.deepEqual([...new Set(choices.map(({ name }) => name!))].sort(), Object.keys(preferenceLosses).sort())
})

for (const loss of choices)
  test.serial(`dpo with the loss ${JSON.stringify(loss)} makes an update`, async (t) => {
    const run = tinyMethodRun('dpo', { ...SMALL, loss })
    if (loss.name === 'xpo') {
      await t.throwsAsync(run, { code: 'E_CONFIG', message: /needs the first model to write/ })
      return
    }
    const { weights, summary } = await run
    t.true(summary.samples.consumed > 0)
    t.false(weights.M1!.equals(weights.M2!))
  })
