import test from 'ava'
import { declaredRow } from '../../../scenarios/claims/survey.js'
import { scenarios } from '../../../scenarios/index.js'

const rowOf = (name: string) => declaredRow(scenarios[name]!.traits!)

test('the rows of the survey that nobody disputes follow from what scenarios declare', (t) => {
  t.deepEqual(rowOf('rlhf'), {
    noHumanPreferences: 'no',
    onPolicy: 'yes',
    onlineFeedback: 'yes',
    noExternalApi: 'yes',
    models: 4,
  })
  t.deepEqual(rowOf('dpo'), {
    noHumanPreferences: 'no',
    onPolicy: 'no',
    onlineFeedback: 'no',
    noExternalApi: 'yes',
    models: 2,
  })
  t.deepEqual(rowOf('oaif'), {
    noHumanPreferences: 'yes',
    onPolicy: 'yes',
    onlineFeedback: 'yes',
    noExternalApi: 'no',
    models: 2,
  })
  t.deepEqual(rowOf('self-rewarding'), {
    noHumanPreferences: 'partly',
    onPolicy: 'yes',
    onlineFeedback: 'yes',
    noExternalApi: 'yes',
    models: 2,
  })
})
