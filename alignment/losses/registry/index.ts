import { ofContrast } from './of-contrast.js'
import { ofGap } from './of-gap.js'
import { ofLengths } from './of-lengths.js'
import { ofPolicyAlone } from './of-policy-alone.js'
import { ofSides } from './of-sides.js'

/** Every loss of the pairwise family, by name. */
export const preferenceLosses = { ...ofGap, ...ofSides, ...ofLengths, ...ofPolicyAlone, ...ofContrast }

export type PreferenceLossName = keyof typeof preferenceLosses
