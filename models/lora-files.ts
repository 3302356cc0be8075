import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TroupeError } from '../runtime/kernel/errors.js'
import type { DecoderConfig } from './config.js'
import { openInside, readJson } from './folder.js'
import { checkLora, type LoraOptions, loraLayout } from './lora.js'
import { decodeSafetensors, encodeSafetensors } from './safetensors.js'

const FILES = { config: 'adapter_config.json', weights: 'adapter_model.safetensors' } as const
const PREFIX = 'base_model.model.'

/** Our q, k and v are apart where these files pack them, so peft would not find its modules. */
function checkArchitecture({ architecture }: DecoderConfig): void {
  if (architecture === 'gpt2' || architecture === 'gpt_neox')
    throw new TroupeError('E_CONFIG', `adapters of ${architecture} have no file format here`, {
      where: 'lora',
      hint: 'Merge the adapter (mergeLora) and save the model',
    })
}

/**
 * Writes an adapter as peft does (`adapter_config.json`, `adapter_model.safetensors`): `PeftModel.from_pretrained` opens it
 * on the base checkpoint. Each file appears whole. Throws `E_CONFIG`.
 */
export async function saveAdapter(
  folder: string,
  adapter: {
    readonly config: DecoderConfig
    readonly lora: Float32Array
    readonly options: LoraOptions
    /** The base checkpoint's folder or name, for peft's `AutoPeftModel`. */
    readonly base?: string
  },
): Promise<void> {
  const { config, lora, options, base } = adapter
  checkArchitecture(config)
  checkLora(config, options, lora)
  const { entries } = loraLayout(config, options)
  const modules = entries.map(({ name }) => /([^.]+)\.lora_[AB]\.weight$/.exec(name)?.[1] ?? name)
  const settings = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base ?? null,
    r: options.rank,
    lora_alpha: options.alpha,
    target_modules: [...new Set(modules)],
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
  }
  const tensors = entries.map(({ name, shape, offset, length }) => ({
    name: `${PREFIX}${name}`,
    shape,
    data: lora.subarray(offset, offset + length),
  }))
  await mkdir(folder, { recursive: true })
  const write = async (name: string, contents: string | Uint8Array) => {
    const fresh = join(folder, `.${name}.new`)
    await writeFile(fresh, contents, { flush: true })
    await rename(fresh, join(folder, name))
  }
  await write(FILES.weights, encodeSafetensors(tensors))
  await write(FILES.config, `${JSON.stringify(settings, undefined, 2)}\n`)
}

/** What must hold for an adapter to be plain LoRA; other keys that peft writes may have any value. */
const settingsSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().min(1),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.array(z.string()).min(1), z.literal('all-linear')]),
  bias: z.literal('none').default('none'),
  use_dora: z.literal(false).default(false),
  use_rslora: z.literal(false).default(false),
  fan_in_fan_out: z.literal(false).default(false),
  modules_to_save: z.null().optional(),
  rank_pattern: z.strictObject({}).optional(),
  alpha_pattern: z.strictObject({}).optional(),
  layers_to_transform: z.null().optional(),
})

/**
 * Reads an adapter that Troupe or peft wrote for a model of this configuration. Throws `E_CHECKPOINT`: a file that is
 * missing or damaged, a variant that is not plain LoRA, tensors of another model.
 */
export async function loadAdapter(
  folder: string,
  config: DecoderConfig,
): Promise<{ lora: Float32Array; options: LoraOptions }> {
  checkArchitecture(config)
  const where = { config: join(folder, FILES.config), weights: join(folder, FILES.weights) }
  const fail = (message: string, file: string, cause?: unknown): never => {
    throw new TroupeError('E_CHECKPOINT', message, {
      where: file,
      hint: 'An adapter is plain LoRA (no DoRA, no further modules) of the model that it is opened with',
      cause,
    })
  }
  const parsed = settingsSchema.safeParse(await readJson(folder, FILES.config))
  if (!parsed.success) return fail(`the adapter's settings: ${z.prettifyError(parsed.error)}`, where.config)
  const { r, lora_alpha, target_modules } = parsed.data
  const options: LoraOptions = { rank: r, alpha: lora_alpha, targets: target_modules }
  const { handle } = await openInside(folder, FILES.weights)
  const bytes = await handle.readFile().finally(() => handle.close())
  const tensors = new Map(decodeSafetensors(bytes, where.weights).map((tensor) => [tensor.name, tensor]))
  const layout = (() => {
    try {
      return loraLayout(config, options)
    } catch (error) {
      return fail((error as Error).message, where.config, error)
    }
  })()
  const lora = new Float32Array(layout.total)
  for (const { name, shape, offset } of layout.entries) {
    const tensor = tensors.get(PREFIX + name) ?? fail(`tensor ${PREFIX}${name} is missing`, where.weights)
    if (tensor.shape.join() !== shape.join())
      fail(`tensor ${PREFIX}${name} has shape [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`, where.weights)
    if (!tensor.data.every(Number.isFinite))
      fail(`tensor ${PREFIX}${name} holds values that are not finite`, where.weights)
    lora.set(tensor.data, offset)
    tensors.delete(PREFIX + name)
  }
  for (const name of tensors.keys()) fail(`tensor ${name} is not part of the adapter`, where.weights)
  return { lora, options }
}
