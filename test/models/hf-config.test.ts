import test from 'ava'
import { fromHfConfig } from '../../models/hf-config.js'
import { toHfConfig } from '../../models/hf-config-write.js'
import { readFixture } from './support.js'

/** Fixture, keys taken out, keys put in: as transformers 4 wrote the same model. */
const older: [fixture: string, without: string[], instead: object][] = [
  ['gpt-neox-parallel', ['rope_parameters'], { rotary_pct: 0.25, rotary_emb_base: 10_000, torch_dtype: 'float32' }],
  ['gpt-neox-parallel', ['rope_parameters', 'attention_bias', 'use_parallel_residual', 'hidden_act'], {}],
  [
    'llama-biases-llama3-rope',
    ['rope_parameters'],
    {
      rope_theta: 500,
      rope_scaling: {
        factor: 4,
        high_freq_factor: 4,
        low_freq_factor: 1,
        original_max_position_embeddings: 32,
        rope_type: 'llama3',
      },
    },
  ],
  ['llama-linear-rope-sharded', ['rope_parameters'], { rope_scaling: { type: 'linear', factor: 2 } }],
  ['mistral-window', ['rope_parameters'], { rope_scaling: null }],
  ['qwen2-window', ['rope_parameters', 'layer_types'], { rope_theta: 10_000 }],
  ['qwen2-bf16', ['layer_types', 'sliding_window'], { use_sliding_window: false, sliding_window: 4096 }],
  ['gpt2', ['n_inner', 'layer_norm_epsilon', 'activation_function', 'tie_word_embeddings'], { n_ctx: 64 }],
]

for (const [fixture, without, instead] of older)
  test(`${fixture}: without ${without.join(', ')} it is the same model`, (t) => {
    const json = readFixture(fixture, 'config.json')
    const kept = Object.fromEntries(Object.entries(json).filter(([key]) => !without.includes(key)))
    t.deepEqual(fromHfConfig({ ...kept, ...instead }, 'config.json'), fromHfConfig(json, 'config.json'))
  })

test('of several ends the first is taken; what is written is what is read', (t) => {
  const json = { ...readFixture('llama-biases-llama3-rope', 'config.json'), eos_token_id: [5, 2], pad_token_id: null }
  const config = fromHfConfig(json, 'config.json')
  t.is(config.eosTokenId, 5)
  t.is(config.padTokenId, 5)
  t.deepEqual(fromHfConfig(JSON.parse(JSON.stringify(toHfConfig(config))), 'config.json'), config)
})
