import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { TroupeError } from '../../../runtime/kernel/errors.js'

/** Greatest size of the wanted columns in one row group, uncompressed: a row group is read at once. */
const MAX_GROUP_BYTES = 2 ** 30

/**
 * The rows of a Parquet file with their numbers from 1, and of each the wanted columns that the file has. One row group is held
 * at a time. Uncompressed, Snappy, gzip, Zstandard, Brotli and LZ4; lists and structs may be nested. Throws `E_DATA`: also where
 * the file is cut off. Bytes that were damaged in the middle may exhaust memory: the library does not bound the runs they claim.
 */
export async function* readParquet(
  path: string,
  wanted: readonly string[],
): AsyncGenerator<{ readonly row: number; readonly value: Readonly<Record<string, unknown>> }> {
  const file = await asyncBufferFromFile(path)
  const metadata = await whole(path, () => parquetMetadataAsync(file))
  const columns = await whole(path, async () => columnsOf(path, metadata, wanted))
  let first = 0
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows)
    checkGroup(path, group, columns)
    const read = { file, metadata, columns, compressors, rowStart: first, rowEnd: first + rows }
    const values = await whole(path, () => parquetReadObjects(read))
    if (values.length !== rows) await whole(path, () => Promise.reject(new Error('rows are missing')))
    for (const [i, value] of values.entries()) yield { row: first + i + 1, value }
    first += rows
  }
}

function columnsOf(path: string, metadata: FileMetaData, wanted: readonly string[]): string[] {
  const names = parquetSchema(metadata).children.map(({ element }) => element.name)
  const columns = wanted.filter((name) => names.includes(name))
  if (columns.length > 0) return columns
  throw new TroupeError('E_DATA', `there is none of the columns ${wanted.join(', ')}, only ${names.join(', ')}`, {
    where: path,
    hint: 'Rename the columns',
  })
}

function checkGroup(path: string, group: FileMetaData['row_groups'][number], columns: readonly string[]): void {
  const own = group.columns.filter(({ meta_data: meta }) => columns.includes(meta?.path_in_schema[0] ?? ''))
  const bytes = own.reduce((sum, { meta_data: meta }) => sum + Number(meta?.total_uncompressed_size ?? 0), 0)
  if (bytes > MAX_GROUP_BYTES)
    throw new TroupeError('E_DATA', `a row group has ${bytes} bytes, and at most ${MAX_GROUP_BYTES} are read at once`, {
      where: path,
      hint: 'Write the file with smaller row groups',
    })
}

/** What the library throws at a damaged file is not typed. */
async function whole<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof TroupeError) throw cause
    throw new TroupeError('E_DATA', `the file cannot be read as Parquet: ${(cause as Error).message}`, {
      where: path,
      hint: 'It may be cut off or of another format: copy or write it again',
      cause,
    })
  }
}
