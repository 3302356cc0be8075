import { resolve } from 'node:path'
import test from 'ava'
import { selfRewardingConfig } from '../../scenarios/self-rewarding-config.js'
import { selfRewardingCosts } from '../../scenarios/self-rewarding-costs.js'

const costs = (given: object) => selfRewardingConfig.parse({ costs: given }).costs
const constant = (ms: number) => ({ distribution: 'constant', ms })

test('costs are laid over the scenario’s own, owner by owner', (t) => {
  const own = selfRewardingConfig.parse({}).costs
  t.deepEqual(own, selfRewardingCosts)
  t.deepEqual(costs({ judge: 5 }), { ...own, judge: constant(5) })
  t.deepEqual(costs({ 'learner:train': 5 }), { ...own, 'learner:train': constant(5) })
  t.deepEqual(costs({ 'sampler/1': 500 }), { ...own, 'sampler/1': constant(500) })
  const { 'learner:sft': _, 'learner:train': __, 'learner:publish': ___, ...others } = own
  t.deepEqual(costs({ learner: 5 }), { ...others, learner: constant(5) }, 'all of its turns')
  t.deepEqual(costs({ '*': 5 }), { '*': constant(5) }, 'everybody')
})

test('a configuration that was written down reads as the same again, from whatever folder', (t) => {
  for (const given of [{}, { learner: 5 }, { '*': 5 }, { judge: { recorded: 'runs/x', perItem: 'prompts' } }]) {
    const once = costs(given)
    t.deepEqual(costs(JSON.parse(JSON.stringify(once))), once)
  }
  t.like(costs({ judge: { recorded: 'runs/x' } }).judge, { distribution: 'recorded', recorded: resolve('runs/x') })
})
