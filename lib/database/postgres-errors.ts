import pg from 'pg'
import { StartupError, UnavailableError, ValidationError } from '../errors.ts'
import { databaseUnavailable } from './errors.ts'

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const CONFLICTS = new Set([SERIALIZATION_FAILURE, DEADLOCK, '23503'])

const NUL_IN_TEXT = '22021'
// A column that a prepared statement gives has another type now, or the statement is gone, or was there already.
const STALE_STATEMENTS = ['0A000', '26000', '42P05']

// SQLSTATE classes: connections, resources, operators and time-outs, the system itself.
const PASSING_CLASSES = new Set(['08', '53', '57', '58'])
const PASSING_CODES = new Set([
  SERIALIZATION_FAILURE,
  DEADLOCK,
  '55P03', // a lock was not to be had in time
  '25006', // the server is a standby (by now)
  '25P03', // the transaction was idle for too long
  ...STALE_STATEMENTS
])
// After these the server ends the connection; 57014 is a statement that took too long.
const ENDING = /^(?:08|25P03|57P)/

/**
 * Whether the act can be done again from its beginning: nothing of it is there. A row that refers to one that is gone is
 * of the kind, because everybody looks before: it went in between.
 */
export function isConflict (error: unknown): boolean {
  const code = sqlState(error) ?? sqlState((error as Partial<Error> | undefined)?.cause)
  return code !== undefined && CONFLICTS.has(code)
}

/** Whether the connection is of no use any more, what it keeps is stale, or nobody knows what it is doing. */
export function isConnectionFault (error: unknown): boolean {
  const code = sqlState(error)
  return code === undefined || STALE_STATEMENTS.includes(code) || ENDING.test(code)
}

/** A fault that may pass becomes an UnavailableError, text that can't be stored the caller's fault; everything else stays as it is. */
export function translate (cause: unknown): unknown {
  const code = sqlState(cause)
  if (code === NUL_IN_TEXT) return new ValidationError('Text must not hold the character U+0000')
  const mayPass = code === undefined ? isOfConnection(cause) : PASSING_CODES.has(code) || PASSING_CLASSES.has(code.slice(0, 2))
  return mayPass ? databaseUnavailable({ cause }) : cause
}

/** What the operator is told when the database can't be used at the start. */
export function startupError (error: unknown): unknown {
  const cause = error instanceof UnavailableError ? error.cause : error
  const code = sqlState(cause)
  const fault = code === undefined ? isOfConnection(cause) ? UNREACHABLE : undefined : REFUSALS.get(code) ?? REFUSALS.get(code.slice(0, 2))
  return fault === undefined ? error : new StartupError(`The database ${fault}`, { cause })
}

const UNREACHABLE = 'can\'t be reached: check DATABASE_URL, that PostgreSQL runs there, and its certificate if TLS is asked for'

const REFUSALS = new Map([
  ['08', UNREACHABLE],
  ['28', 'refuses the user or the password of DATABASE_URL, or connections from here'],
  ['3D', 'that DATABASE_URL names does not exist'],
  ['3F', 'has no schema to make tables in: create the one that DATABASE_URL names'],
  ['42501', 'does not let the user of DATABASE_URL make tables'],
  ['25006', 'is a standby, which can\'t be written; name the primary in DATABASE_URL'],
  ['53', 'has no room for another connection'],
  ['55P03', 'is busy: its tables are locked by somebody else'],
  ['57', 'is starting or stopping; start again when it is there']
])

function sqlState (error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

// What is no answer of the server is a fault of the way to it, unless it is one of the program.
function isOfConnection (error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError) && error.name !== 'StartupError'
}
