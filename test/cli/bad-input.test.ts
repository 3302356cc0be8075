import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { scratch } from './fixtures/scratch.js'
import { TOY, troupe } from './fixtures/troupe.js'

const cases: Readonly<Record<string, { words: string[]; says: RegExp }>> = {
  'unknown command': { words: ['rn'], says: /unknown command 'rn'\n\(Did you mean run\?\)/ },
  'unknown option': {
    words: ['run', TOY, '--sed', '1'],
    says: /unknown option '--sed'\n\(Did you mean one of --seed, --set\?\)/,
  },
  'no scenario': { words: ['run'], says: /missing required argument 'scenario'/ },
  'a file that is not there': { words: ['run', './nothing.js'], says: /cannot load a scenario from "\.\/nothing\.js"/ },
  'unknown preset': { words: ['run', TOY, '--preset', 'qick'], says: /has no preset "qick"\. Did you mean "quick"\?/ },
  'unknown stage': {
    words: ['run', TOY, '--stage', 'tread'],
    says: /'tread' is invalid\. Allowed choices are inline, threads/,
  },
  'unknown backend': {
    words: ['run', TOY, '--backend', 'tpu'],
    says: /'tpu' is invalid\. Allowed choices are auto, onnx, tensorflow, webgpu, cpu/,
  },
  'a seed that is no whole number': { words: ['run', TOY, '--seed', '1.5'], says: /A seed is a whole number from 0/ },
  'a setting without a value': {
    words: ['run', TOY, '--set', 'updates'],
    says: /--set "updates" is not of the form key=value/,
  },
  'unknown key': {
    words: ['run', TOY, '--set', 'update=3'],
    says: /unknown configuration key "update" of scenario "toy"\. Did you mean "updates"\?/,
  },
  'unknown nested key': {
    words: ['run', TOY, '--set', 'nested.dept=3'],
    says: /unknown configuration key "nested\.dept".* Did you mean "nested\.depth"\?/,
  },
  'a key without its group': { words: ['run', TOY, '--set', 'depth=3'], says: /Did you mean "nested\.depth"\?/ },
  'an unknown group': { words: ['run', TOY, '--set', 'nestd.depth=3'], says: /Did you mean "nested"/ },
  'a value of the wrong type': {
    words: ['run', TOY, '--set', 'updates=many'],
    says: /"updates" must be a whole number \(at least 1, at most 5000\), but "many" was given/,
  },
  'a value out of range': {
    words: ['run', TOY, '--set', 'nested.depth=-1'],
    says: /"nested\.depth" must be a whole number \(at least 0\), but -1 was given/,
  },
  'a value that is no choice': {
    words: ['run', TOY, '--set', 'fail=maybe'],
    says: /"fail" must be one of "never", "data", "crash", "summary", "restart", but "maybe" was given/,
  },
  'a value where a group is': {
    words: ['run', TOY, '--set', 'nested=3'],
    says: /"nested" must be a group of keys \(nested\.depth, nested\.label\), but 3 was given/,
  },
  'the prototype as a key': {
    words: ['run', TOY, '--set', '__proto__.x=1'],
    says: /unknown configuration key "__proto__\.x"/,
  },
  'costs of nobody': {
    words: ['run', 'self-rewarding', '--stage', 'virtual', '--set', 'costs.sampelr=5'],
    says: /"costs\.sampelr" is about no actor of this troupe\. It has: source, prompt-generator, sampler, judge/,
  },
  'a link between nobody': {
    words: ['run', 'self-rewarding', '--stage', 'virtual', '--set', 'links={"sampler->juge":{"ms":20}}'],
    says: /"links\.sampler->juge" is about no actors of this troupe/,
  },
  'a cost that is no cost': {
    words: ['run', 'self-rewarding', '--stage', 'virtual', '--set', 'costs.judge=slow'],
    says: /"costs\.judge" must be a number, \{ ms \}, \{ recorded \} or a distribution: .*, but "slow" was given/,
  },
  'a recording that is not there': {
    words: ['run', 'self-rewarding', '--stage', 'virtual', '--set', 'costs.judge={"recorded":"runs/x"}'],
    says: /there is no recording at ".*runs\/x"\. Give the folder of a run, or its trace\.json/,
  },
  'a malformed dataset': {
    words: ['run', TOY, '--set', 'fail=data'],
    says: /prompts\.jsonl line 3 has no "prompt"\. Every line needs one/,
  },
  'a report of no run folder': { words: ['report', '.'], says: /"\." is no run folder: it has no config\.json/ },
}

for (const [name, { words, says }] of Object.entries(cases)) {
  test(`${name} is one clear sentence and exit code 2`, async (t) => {
    const { code, stdout, stderr } = await troupe(words)
    t.is(code, 2)
    t.regex(stderr, says)
    t.notRegex(stdout + stderr, /^\s+at /m, 'no stack trace')
    t.true(stderr.trim().split('\n').length <= 3, stderr)
  })
}

test('a scenario that nobody knows is answered with the nearest ones', async (t) => {
  const { code, stderr } = await troupe(['run', 'self-rewardin'])
  t.is(code, 2)
  t.regex(stderr, /unknown scenario "self-rewardin"\. Did you mean "self-rewarding"\?/)
})

test('a fault in what was given is exit code 2 also when an actor in its thread finds it', async (t) => {
  const { code, stderr } = await troupe(['run', 'self-rewarding', '--set', 'gold.module=file:///nowhere.js'])
  t.is(code, 2)
  t.regex(stderr, /^troupe: evaluator failed: module file:\/\/\/nowhere\.js cannot be imported/m)
  t.notRegex(stderr, /^\s+at /m)
})

test('a run folder that holds anything is refused and left alone', async (t) => {
  const cwd = scratch()
  mkdirSync(join(cwd, 'full'))
  writeFileSync(join(cwd, 'full', 'kept.txt'), 'kept')
  const { code, stderr } = await troupe(['run', TOY, '--out', 'full'], cwd)
  t.is(code, 2)
  t.regex(stderr, /the run folder "full" is not empty/)
})

test('a failure that is nobody’s input is exit code 1, told without a stack', async (t) => {
  const { code, stderr } = await troupe(['run', TOY, '--set', 'fail=crash'])
  t.is(code, 1)
  t.regex(stderr, /^troupe: the toy broke$/m)
  t.notRegex(stderr, /^\s+at /m)
})
