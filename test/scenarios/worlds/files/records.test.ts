import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { TroupeError } from '../../../../runtime/index.js'
import { MAX_LINE_BYTES } from '../../../../scenarios/worlds/files/lines.js'
import { type DataRecord, readRecords } from '../../../../scenarios/worlds/files/records.js'
import { scratch } from '../../../cli/fixtures/scratch.js'

const folder = scratch()
const fixtures = fileURLToPath(new URL('../../../../../test/fixtures/data/', import.meta.url))

function written(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, contents)
  return path
}

async function read(path: string): Promise<DataRecord[]> {
  const records: DataRecord[] = []
  for await (const record of readRecords(path)) records.push(record)
  return records
}

const values = async (path: string) => (await read(path)).map(({ value }) => value)

test('JSON Lines: byte order mark, both line ends, blank lines, no end at the end; lines are counted as an editor does', async (t) => {
  const path = written('a.jsonl', '\uFEFF{"prompt":"é 🐦"}\r\n\r\n  \n{"prompt":"a\\nb","more":[1]}\n{"prompt":"c"}')
  t.deepEqual(await read(path), [
    { where: `${path}, line 1`, value: { prompt: 'é 🐦' } },
    { where: `${path}, line 4`, value: { prompt: 'a\nb', more: [1] } },
    { where: `${path}, line 5`, value: { prompt: 'c' } },
  ])
  t.is((await read(written('b.ndjson', '{}\n'))).length, 1)
})

test('lines that go over the blocks of a file come whole', async (t) => {
  const lines = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 40 }).chain((s) => fc.constantFrom(s, s.repeat(2500))),
    { minLength: 1, maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(lines, fc.constantFrom('\n', '\r\n'), async (texts, end) => {
      const path = written('c.jsonl', texts.map((prompt) => JSON.stringify({ prompt }) + end).join(''))
      t.deepEqual(
        (await values(path)).map(({ prompt }) => prompt),
        texts,
      )
    }),
    { seed: 5, numRuns: 40 },
  )
})

const refused = async (t: import('ava').ExecutionContext, path: string, message: RegExp, where = path) => {
  const error = await t.throwsAsync(read(path), { instanceOf: TroupeError, code: 'E_DATA', message })
  t.is((error as TroupeError).where, where)
}

test('what cannot be read is refused, by file and row', async (t) => {
  await refused(t, join(folder, 'absent.jsonl'), /^there is no such file$/)
  await refused(t, join(folder, 'pairs.json'), /not \.json$/)
  await refused(t, join(folder, 'pairs'), /not one without extension$/)
  await refused(t, join(folder, 'pairs.jsonl.gz'), /not \.gz$/)
  mkdirSync(join(folder, 'folder.jsonl'))
  await refused(t, join(folder, 'folder.jsonl'), /not a file/)
  await refused(t, written('empty.jsonl', ''), /has no rows/)
  await refused(t, written('blank.jsonl', '\n\r\n \n'), /has no rows/)
  const list = written('list.jsonl', '{"prompt":"a"}\n[{"prompt":"b"}]\n')
  await refused(t, list, /the line is a list/, `${list}, line 2`)
  const cut = written('cut.jsonl', '{"prompt":"a"}\n{"prompt":"b')
  await refused(t, cut, /not JSON/, `${cut}, line 2`)
  const latin = written('latin.jsonl', Buffer.from('{"prompt":"a"}\n\n{"prompt":"\xe9"}\n', 'latin1'))
  await refused(t, latin, /not UTF-8/, `${latin}, line 3`)
  const wide = written('wide.jsonl', Buffer.from('\uFEFF{"prompt":"a"}\n', 'utf16le'))
  await refused(t, wide, /not UTF-8/, `${wide}, line 1`)
})

test('a line is as long as is allowed, and no longer', async (t) => {
  const frame = '{"prompt":""}'.length
  const longest = written('longest.jsonl', `{"prompt":"${'x'.repeat(MAX_LINE_BYTES - frame)}"}\n{}\n`)
  t.is((await read(longest)).length, 2)
  const longer = written('longer.jsonl', `{}\n{"prompt":"${'x'.repeat(MAX_LINE_BYTES - frame + 1)}"}\n`)
  await refused(t, longer, /longer than 16777216 bytes/, `${longer}, line 2`)
})

type Rows = Record<string, unknown>[]
const expected: Record<string, Rows | { same_as: string }> = JSON.parse(
  readFileSync(`${fixtures}expected.json`, 'utf8'),
)

/** Without the columns that are not read. */
function expectedRows(name: string): Rows {
  const found = expected[name]!
  return Array.isArray(found) ? found.map(({ score, margin, ...row }) => row) : expectedRows(found.same_as)
}

for (const name of Object.keys(expected).filter((one) => /^(conversations|pages|texts|null|trees)/.test(one)))
  test(`${name} is read as Apache Arrow reads it`, async (t) => {
    const records = await read(fixtures + name)
    t.deepEqual(
      records.map(({ value }) => value),
      expectedRows(name),
    )
    t.is(records[2]!.where, `${fixtures}${name}, row 3`)
  })

test('Parquet files without rows, or without a column of a dataset, are refused', async (t) => {
  await refused(t, `${fixtures}no-rows.parquet`, /has no rows/)
  await refused(t, `${fixtures}other-columns.parquet`, /none of the columns prompt.*only question, answer/)
  await refused(t, written('lines.parquet', '{"prompt":"these are lines"}\n'), /cannot be read as Parquet/)
  await refused(t, written('nothing.parquet', ''), /cannot be read as Parquet/)
})

test('a Parquet file that is cut off is refused wherever it ends', async (t) => {
  const bytes = readFileSync(`${fixtures}texts.parquet`)
  for (let end = 0; end < bytes.length; end++)
    await refused(t, written('cut.parquet', bytes.subarray(0, end)), /Parquet/)
})
