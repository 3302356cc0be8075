/** 97.5th percentile of the standard normal distribution. */
const Z = 1.959963984540054

/**
 * 97.5th percentile of Student's t. Exact for 1 and 2 degrees of freedom, else the Cornish–Fisher expansion
 * (Abramowitz & Stegun 26.7.5), within 0.5 % from 3 degrees on.
 */
export function studentQuantile(degrees: number): number {
  if (degrees === 1) return 12.706204736174694
  if (degrees === 2) return 4.302652729749462
  const n = degrees
  const z2 = Z * Z
  const g1 = (Z * (z2 + 1)) / 4
  const g2 = (Z * (5 * z2 * z2 + 16 * z2 + 3)) / 96
  const g3 = (Z * (3 * z2 ** 3 + 19 * z2 * z2 + 17 * z2 - 15)) / 384
  const g4 = (Z * (79 * z2 ** 4 + 776 * z2 ** 3 + 1482 * z2 * z2 - 1920 * z2 - 945)) / 92160
  return Z + g1 / n + g2 / n ** 2 + g3 / n ** 3 + g4 / n ** 4
}
