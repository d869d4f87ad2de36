import { UnavailableError } from '../errors.ts'

const SQLITE_UNIQUE_VIOLATIONS = new Set([1555, 2067])
const POSTGRES_UNIQUE_VIOLATION = '23505'

/** Whether a row was refused because of one that has the same name or address. */
export function isUniqueViolation (error: unknown): boolean {
  const { errcode = 0, code } = error as { errcode?: number, code?: string }
  return SQLITE_UNIQUE_VIOLATIONS.has(errcode) || code === POSTGRES_UNIQUE_VIOLATION
}

export function databaseUnavailable (options?: ErrorOptions): UnavailableError {
  return new UnavailableError('The database does not answer; try again later', 1, options)
}
