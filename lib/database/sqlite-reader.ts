import { DatabaseSync } from 'node:sqlite'
import { CACHE_KIB, createConnection, REQUEST_TIMEOUT_MS, type SqliteConnection } from './sqlite-connection.ts'

/** Reads what is committed, and never waits for a writer. */
export interface SqliteReader {
  /** @throws UnavailableError if the file can't be read */
  first<Row> (sql: string, parameters: readonly unknown[]): Row | undefined
  /** Differs from what it was whenever anybody has committed anything since. */
  version (): number
  /** To be called before this process writes: the next read sees it, and no snapshot keeps the log from being taken over. */
  refresh (): void
  /** @throws StartupError if the file exists or can't be written */
  backup (path: string): void
  close (): void
}

/** A second connection to a file that is open already. */
export function openSqliteReader (path: string): SqliteReader {
  const database = new DatabaseSync(path, { readOnly: true, timeout: REQUEST_TIMEOUT_MS })
  database.exec(`pragma cache_size = -${CACHE_KIB}`)
  return createSqliteReader(createConnection(database))
}

/**
 * The reads of one turn of the event loop share a snapshot, because taking one for each costs as much as the read.
 * What another process commits is seen in the next turn. The version may be older than the snapshot, but never newer.
 */
export function createSqliteReader (connection: SqliteConnection): SqliteReader {
  let ending: NodeJS.Immediate | undefined
  let hasSnapshot = false
  let version: number | undefined

  function refresh (): void {
    clearImmediate(ending)
    ending = undefined
    version = undefined
    if (hasSnapshot && connection.isInTransaction()) connection.run('commit', [])
    hasSnapshot = false
  }

  return {
    first (sql, parameters) {
      if (!hasSnapshot) connection.run('begin', [])
      hasSnapshot = true
      ending ??= setImmediate(refresh)
      return connection.first(sql, parameters)
    },

    version () {
      version ??= (connection.first('pragma data_version', []) as { data_version: number }).data_version
      ending ??= setImmediate(refresh)
      return version
    },

    refresh,

    backup (path) {
      refresh()
      connection.backup(path)
    },

    close () {
      refresh()
      connection.close()
    }
  }
}
