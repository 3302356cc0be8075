/** Tests that kill processes again and again or fill a heap: minutes of work, which CI does (`npm run test:long`). */
const long = [
  'dist/test/actors/objectives/resume.test.js',
  'dist/test/cli/resume.test.js',
  'dist/test/cli/resume-refused.test.js',
  'dist/test/cli/replay.test.js',
  'dist/test/runtime/kernel/collectable.test.js',
  'dist/test/runtime/kernel/credit.test.js',
  'dist/test/runtime/kernel/faults.test.js',
  'dist/test/runtime/kernel/journal.test.js',
  'dist/test/runtime/kernel/process-restarts.test.js',
  'dist/test/runtime/kernel/restart-places.test.js',
  'dist/test/runtime/placement/kill.test.js',
  'dist/test/runtime/placement/tensors.test.js',
  'dist/test/scenarios/claims/trained.test.js',
  'dist/test/scenarios/losses.test.js',
  'dist/test/scenarios/places.test.js',
]

export default {
  files: process.env.TROUPE_LONG === '1' ? long : ['dist/test/**/*.test.js', ...long.map((file) => `!${file}`)],
  workerThreads: false,
  timeout: '120s',
  concurrency: 2,
}
