import type { SqliteConnection } from './sqlite-connection.ts'

/** Reads what is committed, and never waits for a writer. */
export interface SqliteReader {
  /** @throws UnavailableError if the file can't be read */
  first<Row> (sql: string, parameters: readonly unknown[]): Row | undefined
  /** To be called before this process writes: the next read sees it, and no snapshot keeps the log from being taken over. */
  refresh (): void
  /** @throws StartupError if the file exists or can't be written */
  backup (path: string): void
  close (): void
}

/**
 * The reads of one turn of the event loop share a snapshot, because taking one for each costs as much as the read.
 * What another process commits is seen in the next turn.
 */
export function createSqliteReader (connection: SqliteConnection): SqliteReader {
  let ending: NodeJS.Immediate | undefined

  function begin (): void {
    connection.run('begin', [])
    ending = setImmediate(refresh)
  }

  function refresh (): void {
    if (ending === undefined) return
    clearImmediate(ending)
    ending = undefined
    if (connection.isInTransaction()) connection.run('commit', [])
  }

  return {
    first (sql, parameters) {
      if (ending === undefined) begin()
      return connection.first(sql, parameters)
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
