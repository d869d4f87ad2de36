import { Kysely, type Compilable } from 'kysely'
import { remember, type Find } from '../remember.ts'
import { ofNobody, REMEMBERED, type OpenDatabase } from './database.ts'
import { migrate } from './migrate.ts'
import { bind, type Values } from './prepared.ts'
import { createSqliteAnnouncements } from './sqlite-announcements.ts'
import { openSqlite } from './sqlite-connection.ts'
import { createSqliteDialect } from './sqlite-dialect.ts'
import { openSqliteReader } from './sqlite-reader.ts'
import type { Tables } from './tables.ts'
import { prepareInTurn } from './together.ts'

/** @throws StartupError if the file can't be used */
export async function openSqliteDatabase (path: string): Promise<OpenDatabase> {
  const connection = openSqlite(path)
  const reader = openSqliteReader(path)
  const announcements = createSqliteAnnouncements(reader)
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(connection, reader.refresh) })
  async function close (): Promise<void> {
    reader.close()
    await db.destroy()
  }

  try {
    return {
      applied: await migrate(db),
      db,
      prepareRead: <Row>(query: Compilable<Row>) => {
        const compiled = query.compile()
        return (values: Values) => reader.first<Row>(compiled.sql, bind(compiled, values))
      },
      rememberRead: <Value>(find: Find<Value>, ownerOf: (value: Value) => string | undefined = ofNobody) => remember(find, ownerOf, announcements, REMEMBERED),
      prepareTogether: (opening) => prepareInTurn(db, opening),
      state: () => ({ usedConnections: 0, waitingRequests: 0, hearsChanges: true }),
      ping: async () => { reader.first('select name from roles limit 1', []) },
      backup: reader.backup,
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}
