export type { ChatMessage, ChatOptions } from './chat-template.js'
export {
  type Checkpoint,
  type CheckpointFiles,
  loadCheckpoint,
  loadCheckpointFiles,
  type SaveOptions,
  saveCheckpoint,
} from './checkpoint.js'
export { checkConfig, type DecoderConfig, type LlamaConfig } from './config.js'
export { type HeadKind, headLayout } from './head-layout.js'
export {
  addHead,
  createRewardTrainer,
  createValueTrainer,
  openRewardModel,
  openValueModel,
  type RewardLoss,
} from './heads.js'
export { initParams, paramLayout } from './layout.js'
export { createLoraTrainer, initLora, type LoraOptions, loraLayout, mergeLora } from './lora.js'
export { loadAdapter, saveAdapter } from './lora-files.js'
export { openMixture } from './mixture.js'
export { openModel } from './model.js'
export { nllLoss } from './nll.js'
export { learningRateAt } from './optimizer.js'
export { createReference, type Reference } from './reference.js'
export { decodeSafetensors, encodeSafetensors, type SafeTensor } from './safetensors.js'
export { createWordTokenizer, loadTokenizer, type TextTokenizer } from './tokenizer.js'
export type { TokenizerFiles, WordMarkers } from './tokenizer-files.js'
export { createTrainer, type TrainerOptions } from './trainer.js'
export type {
  Completion,
  EngineOptions,
  GenerateControl,
  GenerateRequest,
  LanguageModel,
  OptimizerOptions,
  SamplingOptions,
  StepResult,
  TokenSequence,
  Trainer,
  TrainingBatch,
  TrainingExtra,
  WeightUpdates,
} from './types.js'
