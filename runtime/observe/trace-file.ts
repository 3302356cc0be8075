import { closeSync, openSync, readSync } from 'node:fs'
import type { RunEvent } from './events.js'
import { openLineFile, toJson } from './run-folder-file.js'
import { type TraceEvent, traceTranslator } from './trace.js'

/** `trace.json`: one event a line, a whole JSON array once it is closed. */
export interface TraceFile {
  observe(event: RunEvent): void
  flush(): void
  mark(): number
  close(): void
}

/** Opens a new trace, or one that is there, cut at `from` bytes: its actors keep their tracks. */
export function openTraceFile(
  path: string,
  { scenario, startedAt }: { readonly scenario: string; readonly startedAt: number },
  from?: number,
): TraceFile {
  const file = openLineFile(path, from)
  const tracks = from ? tracksIn(path) : new Map<string, number>()
  const translator = traceTranslator(`troupe ${scenario}`, startedAt, tracks)
  let separator = from ? ',' : '['
  const write = (events: readonly object[]) => {
    for (const event of events) {
      file.append(`${separator}\n${toJson(event)}`)
      separator = ','
    }
  }
  return {
    observe: (event) => write(translator.translate(event)),
    flush: file.flush,
    mark: file.mark,
    close() {
      write(translator.finish())
      file.append(separator === '[' ? '[]\n' : '\n]\n')
      file.close()
    },
  }
}

const CHUNK = 1 << 20
/** How the line of a track's name begins. */
const TRACK = '{"ph":"M","name":"thread_name"'

/** The numbers of the tracks in a trace. A trace may be larger than a string can be: it is read piece by piece. */
function tracksIn(path: string): Map<string, number> {
  const tracks = new Map<string, number>()
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(CHUNK)
    let begun = Buffer.alloc(0)
    for (let count = readSync(file, chunk); count > 0; count = readSync(file, chunk)) {
      const bytes = Buffer.concat([begun, chunk.subarray(0, count)])
      const end = bytes.lastIndexOf('\n') + 1
      note(bytes.subarray(0, end).toString(), tracks)
      begun = bytes.subarray(end)
    }
    note(begun.toString(), tracks)
  } finally {
    closeSync(file)
  }
  return tracks
}

function note(lines: string, tracks: Map<string, number>): void {
  for (const line of lines.split('\n')) {
    if (!line.startsWith(TRACK)) continue
    const { tid, args } = JSON.parse(line.replace(/,$/, '')) as TraceEvent
    tracks.set(String(args.name), tid)
  }
}
