import { z } from 'zod'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { ownPath } from '../../own-path.js'

/** Options of the world of one's own files. */
const filesOptions = z.strictObject({
  model: ownPath.describe('Hugging Face folder whose tokenizer, chat template and limits are used'),
  prompts: ownPath.optional().describe('.jsonl or .parquet with prompt, or messages; default those of the other files'),
  pairs: ownPath.optional().describe('.jsonl or .parquet with prompt, chosen and rejected'),
  demonstrations: ownPath
    .optional()
    .describe('.jsonl or .parquet with prompt and completion, or messages; default what is chosen in pairs'),
  template: z
    .enum(['auto', 'chat', 'plain'])
    .default('auto')
    .describe(
      'chat: through the chat template; plain: as texts to go on from; auto: chat where the folder has a template',
    ),
  heldOut: z.number().min(0).lt(1).default(0.1).describe('share of the prompts that are kept for evaluation'),
  limits: z
    .strictObject({
      answer: z.int().min(1).default(128).describe('new tokens of an answer'),
      verdict: z.int().min(1).default(256).describe('new tokens of a verdict, where the policy judges'),
      prompt: z.int().min(1).default(128).describe('new tokens of a prompt, where the policy invents them'),
      context: z.int().min(2).optional().describe('tokens of a whole sequence; default and at most the model’s'),
    })
    .prefault({}),
  tooLong: z
    .enum(['refuse', 'drop'])
    .default('refuse')
    .describe('rows whose tokens do not fit into limits.context: an error, or left out'),
  maxRows: z.int().min(1).default(1_000_000).describe('rows of a file; more are refused'),
})
export type FilesOptions = z.output<typeof filesOptions>

/** Throws `E_CONFIG` that names the option. */
export function readOptions(given: unknown): FilesOptions {
  const read = filesOptions.safeParse(given)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new TroupeError('E_CONFIG', `own data: ${issue?.path.join('.') || 'options'}: ${issue?.message}`, {
    where: 'world.options',
    cause: read.error,
  })
}
