import { type Bench, withMachine } from './figures.js'
import { publishFigures } from './tensor/publish.js'
import { samplingFigures } from './tensor/sampling.js'
import { compileFigures, gemmFigures, trainingFigures } from './tensor/training.js'

/** The tensor engine beside PyTorch and transformers, in alternating rounds. About six minutes on a quiet machine. */
export const tensor: Bench = {
  title: 'training, sampling, compiling and publishing, against PyTorch and transformers where Python has them',
  async run({ log }) {
    return withMachine([
      ...(await trainingFigures(log)),
      ...(await samplingFigures(log)),
      ...(await gemmFigures(log)),
      ...(await compileFigures(log)),
      ...(await publishFigures(log)),
    ])
  },
}
