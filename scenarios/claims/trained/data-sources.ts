import { fromM1, laid, runArm, type Settings } from '../arms.js'
import { above } from '../check.js'
import type { Claim, Trial } from '../claim.js'
import { goldOf, lastGold, less, rounds } from './figures.js'

const LOSSES = {
  'sigmoid-norm': { name: 'sigmoid-norm', gamma: 0.05 },
  'hinge-norm': { name: 'hinge-norm', gamma: 0.05 },
}
const PROMPTS = 512

/** As many pairs from each source: four of a prompt where candidates are sampled, one where people wrote them. */
async function source(trial: Trial, data: string, loss: Settings): Promise<number> {
  const iterations = rounds(trial, 1, data === 'direct' ? 4 * PROMPTS : PROMPTS)
  const steps = data === 'direct' ? { promptsPerUpdate: 64, batchSize: 64 } : {}
  return lastGold(await runArm(trial, 'rso', laid(await fromM1(trial), { data, iterations, loss, ...steps })))
}

/** C5. */
export const dataSourceClaim: Claim = {
  id: 'C5',
  title: 'Where the pairs come from: RSO above SFT samples above people',
  statement:
    'For every loss, pairs of rejection-sampled candidates beat pairs of SFT samples, and these people’s pairs.',
  paper:
    'RSO (Liu et al. 2023, table 1, TL;DR, gold): sigmoid-norm 82.22 > 78.14 > 76.09; hinge-norm 83.45 > 76.57 ≈ 76.43',
  setup: `The default world; one M1; ${4 * PROMPTS} pairs each: 8 accepted of 24 and paired, 8 as they come and paired, two answers of people; a pairwise ranker of people’s pairs; steps of 64 pairs.`,
  checks: Object.keys(LOSSES).flatMap((loss) => [
    above(`${loss}: gold, RSO less SFT samples, points`, less(`${loss} rso-sample-rank`, `${loss} sft-sample-rank`), 0),
    above(`${loss}: gold, SFT samples less people, points`, less(`${loss} sft-sample-rank`, `${loss} direct`), 0),
  ]),
  async experiment(trial) {
    const figures: Record<string, number> = {}
    for (const [name, loss] of Object.entries(LOSSES))
      for (const data of ['rso-sample-rank', 'sft-sample-rank', 'direct'])
        figures[`${name} ${data}`] = await source(trial, data, loss)
    return figures
  },
}

/** C6. */
export const imitationClaim: Claim = {
  id: 'C6',
  title: 'Imitating the best is not enough',
  statement:
    'Fine-tuning on the best samples (RAFT) or those above a threshold (ReST) falls behind DPO, and DPO behind RSO.',
  paper: 'RSO (Liu et al. 2023, table 1, TL;DR, gold): ReST 46.17, RAFT 68.51 < DPO 76.09 < RSO 82.22',
  setup: `The default world; one M1; RAFT and ReST: best of 8, or those above rising quantiles, of ${PROMPTS} prompts; DPO and RSO as in C5.`,
  checks: [
    above('gold, DPO on people’s pairs less RAFT, points', less('dpo', 'raft'), 0),
    above('gold, DPO on people’s pairs less ReST, points', less('dpo', 'rest'), 0),
    above('gold, RSO less DPO on people’s pairs, points', less('rso', 'dpo'), 0),
  ],
  async experiment(trial) {
    const m1 = await fromM1(trial)
    const iterations = rounds(trial, 1, PROMPTS)
    const raft = await runArm(trial, 'rejection-sampling', laid(m1, { iterations }))
    const rest = await runArm(trial, 'rest', laid(m1, { iterations }))
    return {
      m1: goldOf(raft)[0] ?? Number.NaN,
      raft: lastGold(raft),
      rest: lastGold(rest),
      dpo: await source(trial, 'direct', LOSSES['sigmoid-norm']),
      rso: await source(trial, 'rso-sample-rank', LOSSES['sigmoid-norm']),
    }
  },
}

/** C11. */
export const negativesClaim: Claim = {
  id: 'C11',
  title: 'Negatives matter',
  statement: 'With the same candidates, learning from losers as well beats imitating the winner alone.',
  paper:
    'SLiC-HF (Zhao et al. 2023, table 1): best of 8 imitated 65.43, calibrated 86.21; RRHF (Yuan et al. 2023) without its ranking loss −1.14, with it −1.03',
  setup: `The default world; one M1, ${PROMPTS} prompts, 8 samples of M1 each, a ranker of people’s pairs: SLiC-HF’s tournament against imitation of the best; RRHF with its ranking loss and with the likelihood of the best alone.`,
  checks: [
    above('gold, SLiC-HF less imitation of the best of the same 8, points', less('slic', 'best'), 0),
    above('gold, RRHF less RRHF without ranking, points', less('rrhf', 'rrhfBest'), 0),
  ],
  async experiment(trial) {
    const m1 = laid(await fromM1(trial), { iterations: rounds(trial, 1, PROMPTS) })
    const writers = [{ by: 'first', n: 8 }]
    const sampler = { writers, sampling: { temperature: 0.7, topP: 1, topK: 40 } }
    const imitation = { objective: 'nll', selection: { rule: 'best' } }
    const slic = await runArm(trial, 'slic-hf', m1)
    const best = await runArm(trial, 'rejection-sampling', laid(m1, { sampler }))
    const rrhf = await runArm(trial, 'rrhf', m1)
    const rrhfBest = await runArm(trial, 'rrhf', laid(m1, { training: imitation }))
    return {
      m1: goldOf(slic)[0] ?? Number.NaN,
      ...{ slic: lastGold(slic), best: lastGold(best), rrhf: lastGold(rrhf), rrhfBest: lastGold(rrhfBest) },
    }
  },
}
