import type { z } from 'zod'
import { type MethodConfig, methodConfig } from './method-config.js'
import { type Arrangement, arrangementOf } from './method-plan.js'
import { runMethod } from './method-run.js'
import type { MethodTraits, Scenario } from './scenario.js'
import { type Defaults, withDefaults } from './with-defaults.js'

/** A method, as data: which defaults make it itself, and what it says of itself. */
export interface Method<Options extends z.ZodRawShape = z.ZodRawShape> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Laid under the common keys ({@link methodConfig}). Default loss parameters hold while the loss is the one named here. */
  readonly defaults: Defaults
  /** Further keys of this method alone. */
  readonly options?: Options
  /** What its own keys change in the wiring. */
  readonly arrange?: (
    config: MethodConfig & z.output<z.ZodObject<Options>>,
    wiring: Arrangement,
  ) => Partial<Arrangement>
  readonly presets?: Scenario['presets']
  /** What the survey's table says of it. */
  readonly traits: MethodTraits
}

/** A scenario from the declaration of a method: the common roles, wired as its configuration says. */
export function defineMethod<Options extends z.ZodRawShape = Record<never, never>>(method: Method<Options>): Scenario {
  const { name, title, description, traits, defaults, presets = { quick: {}, full: FULL } } = method
  const { loss, ...others } = defaults as { readonly loss?: Defaults }
  const config = withDefaults(methodConfig, {
    ...others,
    ...(loss ? { loss: { name: loss.name } } : {}),
  }).extend(method.options ?? {})
  return {
    name,
    title,
    description,
    traits,
    config,
    presets,
    computing: ['sampler', 'reward-model', 'learner', 'evaluator'],
    run: (options) => {
      const given = options.config as MethodConfig & z.output<z.ZodObject<Options>>
      const usual = arrangementOf(given, loss ?? {})
      const arrangement = { ...usual, ...method.arrange?.(given, usual) }
      return runMethod(name, { ...options, config: given }, arrangement)
    },
  }
}

/** Longer training of everything. */
const FULL = {
  demonstrations: { ift: 60_000 },
  iterations: [1536, 1536, 1536],
  evaluation: { prompts: 400 },
} as const
