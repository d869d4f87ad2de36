import { closeSync, fsyncSync, openSync, statSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite'
import { StartupError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { CORRUPT, startupError, translate } from './sqlite-errors.ts'
import { createSqliteReader, type SqliteReader } from './sqlite-reader.ts'

/** An SQLite file with its prepared statements, cached by their text. */
export interface SqliteConnection {
  /** @throws UnavailableError if the file is locked, full or can't be read or written */
  run (sql: string, parameters: readonly unknown[]): SqliteResult
  first<Row> (sql: string, parameters: readonly unknown[]): Row | undefined
  /**
   * For a connection that is in no transaction.
   *
   * @throws StartupError if the file exists or can't be written
   */
  backup (path: string): void
  /** False also after a fault at which SQLite has rolled back by itself, such as a full disk. */
  isInTransaction (): boolean
  close (): void
}

export interface SqliteResult {
  rows: unknown[]
  changes: number
}

interface Statement {
  statement: StatementSync
  /** Their names; none if it returns no rows. */
  columns: string[]
}

// A start may wait for another process that starts; a request must not block the event loop.
const START_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10
// Checking a larger file would make every start slow; its damage shows at the first read.
const CHECKED_BYTES = 64 * 1024 * 1024
// Holds the inner pages of the indexes of a million users.
const CACHE_KIB = 65_536

/** @throws StartupError with one sentence for the operator */
export function openSqlite (path: string): SqliteConnection {
  refuseEmptied(path)
  let database: DatabaseSync
  try {
    makeDirectory(dirname(path))
    database = new DatabaseSync(path, { timeout: START_TIMEOUT_MS })
  } catch (cause) {
    throw new StartupError(`The database ${path} can't be opened: check that the directory exists and can be written`, { cause })
  }
  try {
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma foreign_keys = on;
      pragma cache_size = -${CACHE_KIB};
      pragma temp_store = memory;`)
    checkIntegrity(database)
    checkWritable(database)
    database.exec(`pragma busy_timeout = ${REQUEST_TIMEOUT_MS}`)
  } catch (cause) {
    database.close()
    throw startupError(path, cause)
  }
  return createConnection(database)
}

/** A second connection to a file that is open already. */
export function openSqliteReader (path: string): SqliteReader {
  const database = new DatabaseSync(path, { readOnly: true, timeout: REQUEST_TIMEOUT_MS })
  database.exec(`pragma cache_size = -${CACHE_KIB}`)
  return createSqliteReader(createConnection(database))
}

function createConnection (database: DatabaseSync): SqliteConnection {
  const statements = new Map<string, Statement>()

  function prepare (sql: string): Statement {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    const prepared = { statement, columns: columnNames(statement) }
    statements.set(sql, prepared)
    return prepared
  }

  return {
    run (sql, parameters) {
      try {
        const prepared = prepare(sql)
        const values = parameters as SQLInputValue[]
        if (prepared.columns.length === 0) return { rows: [], changes: Number(prepared.statement.run(...values).changes) }
        const rows = (prepared.statement.all(...values) as unknown as unknown[][]).map((row) => toRow(prepared, row))
        return { rows, changes: rows.length }
      } catch (error) {
        throw translate(error)
      }
    },

    first<Row> (sql: string, parameters: readonly unknown[]) {
      try {
        const prepared = prepare(sql)
        const values = prepared.statement.get(...parameters as SQLInputValue[]) as unknown as unknown[] | undefined
        return values && toRow(prepared, values) as Row
      } catch (error) {
        throw translate(error)
      }
    },

    backup (path) {
      try {
        const file = openSync(path, 'wx', 0o600)
        try {
          database.prepare('vacuum into ?').run(path)
          fsyncSync(file)
        } catch (error) {
          unlinkSync(path) // half a backup must not pass for one
          throw error
        } finally {
          closeSync(file)
        }
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException
        throw new StartupError(code === 'EEXIST' ? `${path} exists already; a backup does not overwrite` : `${path} can't be written`, { cause })
      }
    },

    isInTransaction: () => database.isTransaction,

    close () {
      statements.clear()
      database.close()
    }
  }
}

function columnNames (statement: StatementSync): string[] {
  return statement.columns().map(({ name }) => name)
}

// SQLite's own rows take as long to make as the query that finds them: it looks up the name of every column again.
function toRow (prepared: Statement, values: readonly unknown[]): Record<string, unknown> {
  if (prepared.columns.length !== values.length) prepared.columns = columnNames(prepared.statement) // the schema has changed
  const row: Record<string, unknown> = {}
  for (let index = 0; index < values.length; index++) row[prepared.columns[index] as string] = values[index]
  return row
}

// An empty file is what a truncated database looks like, and SQLite would take it for a new one.
function refuseEmptied (path: string): void {
  if (!isEmptyFile(path)) return
  // Another process may be creating it at this moment.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  if (isEmptyFile(path)) throw new StartupError(`The database ${path} is empty; restore a backup, or delete the file to begin anew`)
}

function isEmptyFile (path: string): boolean {
  try {
    return statSync(path).size <= 1 // SQLite takes a single byte for nothing too
  } catch {
    return false // it is not there, or opening it says what is wrong
  }
}

function checkIntegrity (database: DatabaseSync): void {
  const { bytes } = database.prepare('select page_count * page_size as bytes from pragma_page_count, pragma_page_size').get() as { bytes: number }
  if (bytes > CHECKED_BYTES) return
  const { quick_check: result } = database.prepare('pragma quick_check(1)').get() as { quick_check: string }
  if (result !== 'ok') throw Object.assign(new Error(result), { errcode: CORRUPT })
}

function checkWritable (database: DatabaseSync): void {
  database.exec('begin immediate; pragma user_version = 0; rollback')
}
