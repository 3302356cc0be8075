import { concurrency } from './concurrency.js'
import type { Bench } from './figures.js'
import { oaif } from './oaif.js'
import { runtime } from './runtime.js'
import { tensor } from './tensor.js'

/** Every benchmark by its name, as `troupe bench` knows them. */
export const benches: Readonly<Record<string, Bench>> = { concurrency, oaif, runtime, tensor }
