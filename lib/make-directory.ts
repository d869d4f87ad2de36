import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from './sync-directory.ts'

/**
 * Makes a directory and those above it, open to their owner only, and there after a power cut. The recursion of Node's
 * `mkdirSync` never ends where a file system answers that there is no such file, as /proc and automounted directories do.
 */
export function makeDirectory (path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!existsSync(path)) throw error // else another process that starts now has made it
  }
  syncDirectory(dirname(path))
}
