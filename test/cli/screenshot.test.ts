import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { scratch } from './fixtures/scratch.js'
import { TOY, troupe } from './fixtures/troupe.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
]

function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path))
}

test('a browser draws the report', async (t) => {
  const browser = findBrowser()
  if (!browser) {
    t.log('skipped: no chromium on the PATH (apt-get install chromium)')
    t.false(process.env.TROUPE_REQUIRE?.split(',').includes('chromium') ?? false, 'TROUPE_REQUIRE asks for chromium')
    return
  }
  const cwd = scratch()
  t.is((await troupe(['run', TOY, '--out', 'run'], cwd)).code, 0)
  const image = join(cwd, 'report.png')
  const url = pathToFileURL(join(cwd, 'run', 'report.html')).href
  await promisify(execFile)(
    browser,
    [...FLAGS, `--user-data-dir=${join(cwd, 'profile')}`, '--window-size=1200,3000', `--screenshot=${image}`, url],
    { timeout: 60_000 },
  )
  const png = readFileSync(image)
  t.is(png.subarray(1, 4).toString(), 'PNG')
  t.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1200, 3000])
  t.true(png.length > 60_000, `an empty page compresses to less than ${png.length} bytes`)
})
