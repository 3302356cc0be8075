/**
 * Writes a checkpoint and what it computes, for transformers to check: `node dist/test/models/write-hf-checkpoint.js
 * <folder> <ours.json>`, then `python bench/peers/check_hf_checkpoint.py <folder> <ours.json> [<theirs.json>]`.
 */
import { writeFile } from 'node:fs/promises'
import { saveCheckpoint } from '../../models/checkpoint.js'
import { logitsOf } from './support.js'
import { writtenModel, writtenRows, writtenTexts } from './written.js'

const [folder, ours] = process.argv.slice(2)
if (!folder || !ours) throw new Error('usage: write-hf-checkpoint.js <folder> <ours.json>')
const { config, params, tokenizer } = writtenModel()
await saveCheckpoint(folder, { config, params, tokenizer })
const logits: number[][] = []
for (const row of writtenRows) logits.push([...(await logitsOf(config, params, Int32Array.from(row), 'cpu'))])
const ids = writtenTexts.map((text) => [...tokenizer.encode(text)])
await writeFile(ours, JSON.stringify({ rows: writtenRows, logits, texts: writtenTexts, ids }))
