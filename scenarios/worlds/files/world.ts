import type { World } from '../../../actors/world.js'
import { loadCheckpointFiles } from '../../../models/index.js'
import { TroupeError } from '../../../runtime/kernel/errors.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { filesDraws } from './draws.js'
import {
  judgeQuestion,
  metaQuestion,
  promptList,
  promptQuestion,
  readPreference,
  readPrompt,
  readVerdict,
} from './judging.js'
import { languageOf } from './language.js'
import { readOptions } from './options.js'

/**
 * The world of one's own files, in the language of one's own model: its tokenizer and chat template. Prompts are split by a hash;
 * pairs give preferences with scores 1 and 0. Options: see {@link readOptions}. Files are read by `open`.
 * @throws `E_CONFIG` on a wrong option, `E_CHECKPOINT` where the folder cannot be used, `E_DATA` for a row that cannot
 */
export async function createWorld(given: unknown): Promise<World> {
  const options = readOptions(given)
  const { config, tokenizer, stopTokens } = await loadCheckpointFiles(options.model)
  if (!tokenizer)
    throw new TroupeError('E_CHECKPOINT', 'the model has no tokenizer', {
      where: options.model,
      hint: 'Copy tokenizer.json and tokenizer_config.json into the folder',
    })
  const language = languageOf(tokenizer, stopTokens, options.template, options.model)
  const text = (token: number) => tokenizer.decode([token])
  const context = Math.min(options.limits.context ?? config.maxPositionEmbeddings, config.maxPositionEmbeddings)
  const isHeldOut = (prompt: string) => seededRandom(0, 'held out', prompt).float() < options.heldOut
  return {
    name: 'files',
    words: [],
    markers: {
      pad: text(config.padTokenId),
      begin: text(config.bosTokenId),
      end: text(stopTokens[0] ?? config.eosTokenId),
      unknown: text(config.padTokenId),
    },
    tokenizer: language.tokenizer,
    stopTokens,
    limits: { ...options.limits, preference: options.limits.verdict, context },
    answerContext: language.context,
    answerTokens: (prompt, answer) => language.answer(prompt, answer).tokens,
    judgeContext: (prompt, answer) => language.context(judgeQuestion(prompt, answer)),
    metaContext: (prompt, answer, first, second) => language.context(metaQuestion(prompt, answer, first, second)),
    promptContext: (shots) => language.context(language.hasTurns ? promptQuestion(shots) : promptList(shots)),
    readVerdict,
    readPreference,
    readPrompt,
    isHeldOut,
    ...filesDraws({ options, language, context, isHeldOut }),
  }
}
