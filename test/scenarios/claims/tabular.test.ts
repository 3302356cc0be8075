import { tmpdir } from 'node:os'
import test from 'ava'
import { seededRandom } from '../../../runtime/time/index.js'
import { claims, type Figures } from '../../../scenarios/claims/index.js'
import { expectation, letterWorld } from '../../../scenarios/claims/tabular/letters.js'

const measured = (id: string): Promise<Figures> => {
  const claim = claims.find((one) => one.id === id)!
  const trial = { seed: 1, scale: 'quick', backend: 'onnx', commit: 'test', out: tmpdir(), log: () => {} } as const
  return claim.experiment({ ...trial, signal: new AbortController().signal })
}
const isNear = (value: number | undefined, expected: number, tolerance: number) =>
  Math.abs((value ?? Number.NaN) - expected) <= tolerance
const logistic = (value: number) => 1 / (1 + Math.exp(-value))

test('every claim has a number of its own, in order, and a criterion', (t) => {
  const numbers = claims.map(({ id }) => Number(id.slice(1)))
  t.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
  t.true(claims.every(({ checks }) => checks.length > 0))
})

test('the letter world is a distribution whose gold score is standardised', (t) => {
  const { words, reference, gold, draw } = letterWorld(seededRandom(1, 'letters'))
  t.is(words.length, (3 ** 10 - 3) / 2)
  t.true(isNear(expectation(reference, gold), 0, 1e-9))
  t.true(
    isNear(
      expectation(
        reference,
        gold.map((value) => value ** 2),
      ),
      1,
      1e-9,
    ),
  )
  t.true(
    isNear(
      reference.reduce((sum, p) => sum + p),
      1,
      1e-9,
    ),
  )
  const random = seededRandom(1, 'draws')
  const alone = Array.from({ length: 20_000 }, () => words[draw(random)]!.letters.length).filter((n) => n === 1).length
  t.true(isNear(alone / 20_000, 0.45, 0.012), 'a string of one letter stops after it')
})

test('C1: order statistics of a normal, and the formulas', async (t) => {
  const f = await measured('C1')
  t.true(isNear(f.greatest16, 1.766, 0.06))
  t.true(isNear(f.greatest100, 2.5076, 0.08))
  t.true(isNear(f.median, 0, 0.02))
  t.true(isNear(f.klError, 0, 0.001))
  t.true(isNear(f.winError, 0, 0.005))
})

test('C7: the limits are exact', async (t) => {
  const f = await measured('C7')
  t.is(f.bestShare, 1)
  t.is(f.anyLeast, 1)
  t.true((f.overLargeGamma ?? 0) > 0)
})

test('C14: the bandit’s figures', async (t) => {
  const f = await measured('C14')
  t.true((f.dpoLeast ?? 0) > 0.999)
  for (const [tau, share] of [
    [0.1, 0.9933],
    [0.5, 0.7311],
    [1, 0.6225],
  ] as const)
    t.true(isNear(f[`ipo${tau}`], share, 5e-5))
})

test('C15: cDPO stops at 1 − ε, and robust DPO undoes what flips do to DPO', async (t) => {
  const f = await measured('C15')
  t.true(isNear(f.cdpoStop, 0.9, 1e-3))
  t.true(isNear(f.robustSlope, 1, 0.25))
  // Flips of 30 % shrink a small log-odds by 1 − 2·0.3, a large one by more.
  t.true((f.dpoSlope ?? 1) < 0.4)
})

test('C24: .70 and .40 are .55, and the bias goes', async (t) => {
  const f = await measured('C24')
  t.true(isNear(f.rule, 0.55, 1e-12))
  t.true(isNear(f.biasBoth, 0, 1e-12))
  // E over gaps ~ N(0, 1) of σ(gap + .8) − ½, by the probit approximation σ(.8/√(1 + π/8))
  t.true(isNear(f.biasOne, logistic(0.8 / Math.sqrt(1 + Math.PI / 8)) - 0.5, 0.01))
})

test('C28: 1/√3, Φ(−.5/√(2/3)) and Φ(−2/√(2/3))', async (t) => {
  const f = await measured('C28')
  t.true(isNear(f.spread, 1 / Math.sqrt(3), 0.01))
  t.true(isNear(f.flipsHalf, 27.01, 1))
  t.true(isNear(f.flipsTwo, 0.715, 0.2))
})

test('C34: the coarse proxy’s score rises where gold falls, and d(α − βd) describes it', async (t) => {
  const f = await measured('C34')
  t.true((f.proxyRise ?? 0) > 0)
  t.true((f.goldFall ?? 0) > 0.05)
  t.true((f.fitBestOfN ?? 0) > 0.8)
  t.true((f.peakBySize ?? 0) > 0)
})
