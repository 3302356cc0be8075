/** Ends in about two minutes on two cores. */
export const quick = {
  demonstrations: { ift: 14_000, eft: 20_000, prompts: 4_000 },
  iterations: [768, 960],
  evaluation: { prompts: 200, samples: 4, judgeSet: 150 },
}
