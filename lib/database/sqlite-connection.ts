import { closeSync, fsyncSync, openSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite'
import { StartupError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { syncDirectory } from '../sync-directory.ts'
import { startupError, translate } from './sqlite-errors.ts'
import { checkIntegrity, checkWritable, refuseEmptied, START_TIMEOUT_MS, startWriteAheadLog } from './sqlite-start.ts'

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
  /** A row without its values: filling in a copy is much faster than adding one member after the other. */
  emptyRow: Record<string, unknown>
}

// A request must not block the event loop.
export const REQUEST_TIMEOUT_MS = 10
// Holds the inner pages of the indexes of a million users.
export const CACHE_KIB = 65_536

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
    startWriteAheadLog(database)
    database.exec(`
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

export function createConnection (database: DatabaseSync): SqliteConnection {
  const statements = new Map<string, Statement>()

  function prepare (sql: string): Statement {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    const prepared = { statement, ...describeColumns(statement) }
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
          syncDirectory(dirname(path))
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

function describeColumns (statement: StatementSync): Pick<Statement, 'columns' | 'emptyRow'> {
  const columns = statement.columns().map(({ name }) => name)
  return { columns, emptyRow: Object.fromEntries(columns.map((name) => [name, null])) }
}

// SQLite's own rows take as long to make as the query that finds them: it looks up the name of every column again.
function toRow (prepared: Statement, values: readonly unknown[]): Record<string, unknown> {
  if (prepared.columns.length !== values.length) Object.assign(prepared, describeColumns(prepared.statement)) // the schema has changed
  const row = { ...prepared.emptyRow }
  for (let index = 0; index < values.length; index++) row[prepared.columns[index] as string] = values[index]
  return row
}
