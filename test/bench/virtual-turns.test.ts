import test from 'ava'
import { kernelTurnRate } from '../../bench/runtime/kernel-turns.js'
import { virtualTurnRates } from '../../bench/runtime/virtual-turns.js'

test('the bench of virtual turns gets through all of them, with more actors than turns too', async (t) => {
  for (const rates of [await virtualTurnRates(20, 2000), await virtualTurnRates(50, 10)]) {
    t.deepEqual(Object.keys(rates), ['events', 'sleeps', 'turns'])
    t.true(Object.values(rates).every((rate) => Number.isFinite(rate) && rate > 0))
  }
})

test('the bench of the kernel in virtual time has every turn of every actor', async (t) => {
  for (const own of [false, true]) t.true((await kernelTurnRate(own, 20, 50)) > 0)
})
