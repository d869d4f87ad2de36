import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { Test } from 'tap'
import { migrate } from '../../../lib/database/migrate.ts'
import { openSqlite, type SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import { createSqliteDialect } from '../../../lib/database/sqlite-dialect.ts'
import type { Tables } from '../../../lib/database/tables.ts'
import { temporaryDirectory } from '../../helper.ts'

export const BEFORE_COMMIT = 'before commit'

export interface WatchedDatabase {
  db: Kysely<Tables>
  path: string
  /** What ran since the schema was there, with what was called before each commit. */
  ran: string[]
  /** What is done once before that runs the next time, and may throw. */
  faults: Map<string, (connection: SqliteConnection) => void>
  /** How often a statement with that text ran. */
  count (sql: string): number
  /** What is on the disk, as another program sees it. */
  readElsewhere (name: string): number | undefined
}

/** An empty database with its schema that tells what its writer does; it is closed when the test ends. */
export async function openWatched (t: Test): Promise<WatchedDatabase> {
  const path = join(temporaryDirectory(t), 'latchkey.db')
  const connection = openSqlite(path)
  const ran: string[] = []
  const faults: WatchedDatabase['faults'] = new Map()

  function note (text: string): void {
    ran.push(text)
    const fault = faults.get(text)
    faults.delete(text)
    fault?.(connection)
  }

  const watched: SqliteConnection = {
    ...connection,
    run (sql, parameters) {
      note(sql)
      return connection.run(sql, parameters)
    }
  }
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(watched, () => { note(BEFORE_COMMIT) }) })
  t.teardown(async () => { await db.destroy() })
  await migrate(db)
  ran.length = 0

  return {
    db,
    path,
    ran,
    faults,
    count: (sql) => ran.filter((text) => text === sql).length,
    readElsewhere (name) {
      const other = new DatabaseSync(path, { readOnly: true })
      try {
        return other.prepare('select taken_at from locks where name = ?').get(name)?.taken_at as number | undefined
      } finally {
        other.close()
      }
    }
  }
}
