import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import t from 'tap'
import { openSqliteDatabase } from '../../../lib/database/open-sqlite.ts'
import { openDatabase } from './open.ts'

t.test('A database that can not be brought up to date is closed again, by reader and writer', async (t) => {
  const { path, db } = await openDatabase(t)
  await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2100-01-01T00:00:00.000Z')`.execute(db)
  const closed = t.capture(DatabaseSync.prototype, 'close', DatabaseSync.prototype.close)

  await t.rejects(openSqliteDatabase(path), { name: 'StartupError' })

  t.equal(closed().length, 2)
})
