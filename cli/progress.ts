import { stderr } from 'node:process'
import { Presets, SingleBar } from 'cli-progress'

/** How far a file is read, on standard error. */
export interface Progress {
  update (lines: number, readBytes: number): void
  /** Lets something else be written to the terminal. */
  interrupt (write: () => void): void
  stop (): void
}

const LINES_PER_MESSAGE = 10_000
const START_OF_EMPTY_LINE = '\r\x1B[K'
// The bar goes back there when it stops.
const SAVE_POSITION = '\x1B7'

/** A bar on a terminal, and elsewhere, or where the size of the file is not known, a line now and then. */
export function createProgress (totalBytes: number | undefined): Progress {
  return stderr.isTTY && totalBytes !== undefined ? createBar(totalBytes) : createMessages()
}

function createBar (totalBytes: number): Progress {
  const bar = new SingleBar({ format: '{bar} {percentage}% | {lines} lines' }, Presets.legacy)
  bar.start(totalBytes, 0, { lines: 0 })
  return {
    update (lines, readBytes) { bar.update(readBytes, { lines }) },
    interrupt (write) {
      stderr.write(START_OF_EMPTY_LINE)
      write()
      stderr.write(SAVE_POSITION)
    },
    stop () { bar.stop() }
  }
}

function createMessages (): Progress {
  return {
    update (lines) {
      if (lines % LINES_PER_MESSAGE === 0) stderr.write(`${lines} lines\n`)
    },
    interrupt (write) { write() },
    stop () {}
  }
}
