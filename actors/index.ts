export { annotator } from './annotator.js'
export type { Evaluation } from './evaluation.js'
export { evaluator } from './evaluator.js'
export type { InventorCounts } from './inventor.js'
export { judge } from './judge.js'
export { learner } from './learner.js'
export { metaJudge } from './meta-judge.js'
export { preferenceSource } from './preference-source.js'
export { promptGenerator } from './prompt-generator.js'
export { promptSource } from './prompt-source.js'
export { rewardModel } from './reward-model.js'
export { sampler } from './sampler.js'
export { source } from './source.js'
export type {
  Annotator,
  AnnotatorModule,
  Demonstration,
  Gold,
  GoldModule,
  RankedAnswers,
  Verdict,
  World,
  WorldModule,
} from './world.js'
