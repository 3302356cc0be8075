import type { Demonstration, World } from '../../../actors/world.js'
import { loadCheckpointFiles } from '../../../models/index.js'
import { assert, TroupeError } from '../../../runtime/kernel/errors.js'
import { seededRandom } from '../../../runtime/time/random.js'
import { type FilesData, readData } from './data.js'
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
import { passes } from './passes.js'

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
  let data: FilesData | undefined

  function some<K extends Exclude<keyof FilesData, 'answers'>>(key: K, what: string): FilesData[K] {
    assert(data, 'a world is opened before its data are drawn')
    if (data[key].length > 0) return data[key]
    throw new TroupeError('E_DATA', `the files have no ${what}`, {
      where: [options.prompts, options.pairs, options.demonstrations].filter((path) => path !== undefined).join(', '),
      hint: key === 'heldOut' ? 'Give more prompts, or raise world.options.heldOut' : 'Give a file with some',
    })
  }

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
    async open() {
      data ??= await readData({ options, language, context, isHeldOut })
    },
    demonstrationCount: () => data?.demonstrations.length ?? 0,
    prompts(count, random, { heldOut }) {
      if (!heldOut) return passes(some('prompts', 'prompts to train on'), count, random)
      return random.shuffle(some('heldOut', 'prompts that are held out')).slice(0, count)
    },
    demonstrations({ ift, eft, prompts, meta = 0 }, _random, before) {
      if (eft + prompts + meta > 0)
        throw new TroupeError('E_CONFIG', 'own data have no demonstrations of judging, or of inventing prompts', {
          where: 'demonstrations',
          hint: 'Set their numbers to 0',
        })
      if (ift === 0) return []
      const all = some('demonstrations', 'demonstrations')
      return passes(all, ift, DEMONSTRATED, before?.ift).map(({ prompt, answer }): Demonstration => {
        const { text, tokens } = language.answer(prompt, answer)
        return { kind: 'ift', prompt: language.context(prompt), completion: text, tokens: tokens.slice() }
      })
    },
    answers(prompt, count, random) {
      assert(data, 'a world is opened before its data are drawn')
      return random.shuffle(data.answers.get(prompt) ?? []).slice(0, count)
    },
    preferences(count, random, { answers }) {
      if (answers > 2)
        throw new TroupeError('E_CONFIG', `pairs have two answers, not ${answers}`, {
          where: 'answers',
          hint: 'Choose 2',
        })
      return passes(some('pairs', 'pairs'), count, random)
    },
  }
}

/** The order of demonstrations, which is the same in every call for a part of them. */
const DEMONSTRATED = seededRandom(0, 'demonstrations')
