/** A line of a file without its line feed. */
export interface Line {
  /** The first is 1. */
  number: number
  /** Undefined for a line that is longer than the limit; it is read past and not kept. */
  bytes: Buffer | undefined
  /** Of the file up to this line's end. */
  readBytes: number
}

const LINE_FEED = 0x0a

/** The lines of a stream one by one, in memory that one line and one chunk fit in. */
export async function * readLines (chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let length = 0
  let number = 0
  let readBytes = 0

  function keep (part: Uint8Array): void {
    length += part.length
    if (length > maxBytes) parts = []
    else parts.push(part)
  }

  function finish (): Line {
    const line = { number: ++number, bytes: length > maxBytes ? undefined : Buffer.concat(parts), readBytes }
    parts = []
    length = 0
    return line
  }

  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end))
      readBytes += end + 1 - start
      start = end + 1
      yield finish()
    }
    keep(chunk.subarray(start))
    readBytes += chunk.length - start
  }
  if (length > 0) yield finish()
}
