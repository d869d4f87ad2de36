import type { ReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'

/**
 * Gives one copy of each file to all who want it. A stream for each would hold a piece of the file and a descriptor for as
 * long as its client takes to read.
 */
export function createSharedFiles (): (file: ReadStream) => Promise<Buffer> {
  const copies = new Map<string, Promise<Buffer>>()

  return async (file) => {
    const path = String(file.path)
    const copy = copies.get(path)
    if (copy !== undefined) {
      file.destroy()
      return await copy
    }
    const reading = buffer(file)
    copies.set(path, reading)
    reading.catch(() => copies.delete(path))
    return await reading
  }
}
