import { readFileSync } from 'node:fs'
import test from 'ava'
import { DEFECTS } from './defects.js'
import { Hunt } from './hunt.js'
import { simulate } from './simulate.js'

const SEEDS = 40

test('random troupes with random failures keep every invariant', async (t) => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { violation } = await simulate(seed)
    t.is(violation, undefined, `npm run sim -- --seed ${seed} --trace`)
  }
})

test('the same seed gives the same run, another seed another', async (t) => {
  const [one, again, other] = [await simulate(7), await simulate(7), await simulate(8)]
  t.is(one.hash, again.hash)
  t.not(one.hash, other.hash)
})

test('every defect still fits the kernel', (t) => {
  for (const { name, edits } of DEFECTS)
    for (const { file, find } of edits) {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
      t.is(text.split(find).length - 1, 1, `${name}: ${file}: ${find}`)
    }
})

for (const name of [
  'a credit is lost',
  'outputs leave before they are put away',
  'two lives at once',
  'nothing is sent again',
])
  test.serial(`simulations find it when ${name}`, async (t) => {
    const defect = DEFECTS.find((each) => each.name === name)
    const hunt = new Hunt()
    try {
      const found = defect && (await hunt.find(defect, { seeds: 50, timeoutMs: 60_000 }))
      t.not(found?.seeds, undefined)
      t.not(found?.invariant, '')
    } finally {
      hunt.close()
    }
  })
