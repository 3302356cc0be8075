import { z } from 'zod'

/** Parameters that several losses have. */
export const betaOf = (value: number) =>
  z.number().positive().default(value).describe('strength of the pull to the reference; larger stays nearer')

export const smoothing = (value: number) =>
  z.number().min(0).lt(0.5).default(value).describe('ε: assumed share of wrong labels')

export const gamma = z.number().positive().default(0.05).describe('γ: scale of the log-ratios, apart from RSO’s own β')

export const onlyBeta = z.strictObject({ beta: betaOf(0.1) })

export const rewardScale = (options: { readonly beta: number }) => options.beta
