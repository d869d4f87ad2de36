import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StartupError } from '../errors.ts'
import { CORRUPT, isLocked } from './sqlite-errors.ts'

/** How long a start waits for another process that starts, in milliseconds. */
export const START_TIMEOUT_MS = 5000
const RETRY_MS = 20
// Checking a larger file would make every start slow; its damage shows at the first read.
const CHECKED_BYTES = 64 * 1024 * 1024

/** Waits for the lock, which SQLite itself does not do here: two that start at once could wait for each other for ever. */
export function startWriteAheadLog (database: DatabaseSync): void {
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      database.exec('pragma journal_mode = wal')
      return
    } catch (error) {
      if (!isLocked(error) || performance.now() > deadline) throw error
      pause(RETRY_MS)
    }
  }
}

// An empty file is what a truncated database looks like, and SQLite would take it for a new one.
export function refuseEmptied (path: string): void {
  if (!isEmptyFile(path)) return
  pause(500) // another process may be creating it at this moment
  if (isEmptyFile(path)) throw new StartupError(`The database ${path} is empty; restore a backup, or delete the file to begin anew`)
}

function isEmptyFile (path: string): boolean {
  try {
    return statSync(path).size <= 1 // SQLite takes a single byte for nothing too
  } catch {
    return false // it is not there, or opening it says what is wrong
  }
}

export function checkIntegrity (database: DatabaseSync): void {
  const { bytes } = database.prepare('select page_count * page_size as bytes from pragma_page_count, pragma_page_size').get() as { bytes: number }
  if (bytes > CHECKED_BYTES) return
  const { quick_check: result } = database.prepare('pragma quick_check(1)').get() as { quick_check: string }
  if (result !== 'ok') throw Object.assign(new Error(result), { errcode: CORRUPT })
}

export function checkWritable (database: DatabaseSync): void {
  database.exec('begin immediate; pragma user_version = 0; rollback')
}

function pause (milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
