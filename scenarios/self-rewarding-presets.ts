/** Ends in about two minutes on two cores. */
export const quick = {
  demonstrations: { ift: 24_000, eft: 30_000, prompts: 6_000, meta: 12_000 },
  iterations: [768, 960],
  evaluation: { prompts: 200, samples: 4, judgeSet: 300 },
}
