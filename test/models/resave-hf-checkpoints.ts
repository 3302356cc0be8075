import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadCheckpoint, saveCheckpoint } from '../../models/checkpoint.js'
import { fixtures } from './support.js'

/*
 * Saves every fixture again, whole in F32 and in shards of 9000 bytes in BF16 and F16, for bench/peers/check_hf_architectures.py:
 *     node dist/test/models/resave-hf-checkpoints.js <folder>
 */
const [out = 'saved'] = process.argv.slice(2)
const names = readdirSync(fixtures, { withFileTypes: true }).filter((entry) => entry.isDirectory())
for (const { name } of names) {
  const files = readdirSync(join(fixtures, name))
  if (!files.includes('expected.json') || !files.includes('config.json')) continue
  const model = await loadCheckpoint(join(fixtures, name))
  await saveCheckpoint(join(out, `${name}@F32`), model)
  for (const dtype of ['BF16', 'F16'] as const)
    await saveCheckpoint(join(out, `${name}@${dtype}`), model, { dtype, maxShardBytes: 9000 })
}
