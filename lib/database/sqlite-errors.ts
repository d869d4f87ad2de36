import { StartupError, UnavailableError } from '../errors.ts'
import { databaseUnavailable } from './errors.ts'

const PRIMARY_CODE = 0xff
const BUSY = 5
export const CORRUPT = 11
const PASSING_FAULTS = new Map([
  [BUSY, 'is locked by another program'],
  [6, 'is locked by another program'],
  [8, "can't be written"],
  [10, "can't be read or written"],
  [13, 'is full'],
  [14, "can't be opened"]
])
const DAMAGED = new Set([CORRUPT, 26])

export function isBusy (error: unknown): boolean {
  return error instanceof UnavailableError && isLocked(error.cause)
}

/** As SQLite reports it. */
export function isLocked (error: unknown): boolean {
  return sqliteCode(error) === BUSY
}

function sqliteCode (error: unknown): number {
  return ((error as { errcode?: number }).errcode ?? 0) & PRIMARY_CODE
}

/** A fault of the file that may pass becomes an UnavailableError; everything else stays as it is. */
export function translate (cause: unknown): unknown {
  return PASSING_FAULTS.has(sqliteCode(cause))
    ? databaseUnavailable({ cause })
    : cause
}

/** What the operator is told when a file can't be used. */
export function startupError (path: string, cause: unknown): unknown {
  const code = sqliteCode(cause)
  const fault = DAMAGED.has(code) ? 'is damaged or is not an SQLite database; restore a backup' : PASSING_FAULTS.get(code)
  return fault === undefined ? cause : new StartupError(`The database ${path} ${fault}`, { cause })
}
