import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isUniqueViolation } from '../../../lib/database/errors.ts'
import { openSqlite, type SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import { openSqliteReader } from '../../../lib/database/sqlite-reader.ts'
import { temporaryDirectory } from '../../helper.ts'
import { openDatabase, write } from './open.ts'

const INSERT = 'insert into pets (name, legs) values (?, ?)'

function openPets (t: Test): SqliteConnection {
  const connection = openSqlite(join(temporaryDirectory(t), 'pets.db'))
  t.teardown(() => { connection.close() })
  connection.run('create table pets (name text primary key not null, legs bigint not null)', [])
  return connection
}

t.test('A statement is prepared once for each text, whatever its parameters are', async (t) => {
  const connection = openPets(t)
  const prepared = t.capture(DatabaseSync.prototype, 'prepare', DatabaseSync.prototype.prepare)
  const bySize = 'select name from pets where legs = ?'

  for (const [name, legs] of [['cat', 4], ['dog', 4], ['hen', 2]] as const) connection.run(INSERT, [name, legs])
  for (const legs of [4, 2, 4]) connection.run(bySize, [legs])
  for (const legs of [4, 2, 4]) connection.first(bySize, [legs])

  t.same(prepared().map(({ args }) => args[0]), [INSERT, bySize])
})

t.test('The statements of Kysely are prepared once too', async (t) => {
  const { db } = await openDatabase(t)
  await write(db, 'first')
  const prepared = t.capture(DatabaseSync.prototype, 'prepare', DatabaseSync.prototype.prepare)

  for (const name of ['second', 'third', 'fourth']) await write(db, name)

  t.same(prepared(), [])
})

t.test('A statement gives its rows, or how many it changed', async (t) => {
  const connection = openPets(t)

  t.same(connection.run(INSERT, ['cat', 4]), { rows: [], changes: 1 })
  t.same(connection.run('insert into pets values (?, ?) returning name', ['dog', 4]), { rows: [{ name: 'dog' }], changes: 1 })
  t.same(connection.run('update pets set legs = 3', []), { rows: [], changes: 2 })
  t.same(connection.run('select * from pets order by name', []), { rows: [{ name: 'cat', legs: 3 }, { name: 'dog', legs: 3 }], changes: 2 })
  t.same(connection.first('select legs from pets where name = ?', ['cat']), { legs: 3 })
  t.equal(connection.first('select legs from pets where name = ?', ['emu']), undefined)
})

t.test('A cached statement sees a column that was added after it was prepared', async (t) => {
  const connection = openPets(t)
  const all = 'select * from pets'
  connection.run(INSERT, ['cat', 4])
  connection.run(all, [])

  connection.run("alter table pets add column sound text not null default 'none'", [])

  t.same(connection.run(all, []).rows, [{ name: 'cat', legs: 4, sound: 'none' }])
})

t.test('A cached statement does not go on with a column that was dropped after it was prepared', async (t) => {
  const connection = openPets(t)
  const all = 'select * from pets'
  connection.run(INSERT, ['cat', 4])
  connection.run(all, [])

  connection.run('alter table pets drop column legs', [])

  t.strictSame(connection.run(all, []).rows, [{ name: 'cat' }])
  t.strictSame(connection.first(all, []), { name: 'cat' })
})

t.test('Each row is an object of its own', async (t) => {
  const connection = openPets(t)
  const all = 'select name from pets order by name'
  for (const name of ['cat', 'dog']) connection.run(INSERT, [name, 4])

  const { rows } = connection.run(all, [])
  const first = connection.first(all, [])

  t.strictSame(connection.first(all, []), { name: 'cat' })
  t.not(connection.first(all, []), first)
  t.strictSame(rows, [{ name: 'cat' }, { name: 'dog' }])
})

t.test('A streamed query gives its rows', async (t) => {
  const { db } = await openDatabase(t)
  const rows = []

  for await (const row of db.selectFrom('roles').select('name').orderBy('name').stream()) rows.push(row)

  t.same(rows, [{ name: 'admin' }, { name: 'user' }])
})

t.test('The connection is as durable and as strict as it must be', async (t) => {
  const connection = openPets(t)
  const pragmas = { journal_mode: 'wal', synchronous: 2, foreign_keys: 1, cache_size: -65_536, temp_store: 2 }

  for (const [name, value] of Object.entries(pragmas)) {
    t.same(connection.run(`pragma ${name}`, []).rows, [{ [name]: value }])
  }
})

t.test('A second row with the same key is known for what it is', async (t) => {
  const connection = openPets(t)
  connection.run('create unique index legs on pets (legs)', [])
  connection.run(INSERT, ['cat', 4])
  const codeOf = (name: string | null, legs: number): boolean | undefined => {
    try {
      connection.run(INSERT, [name, legs])
    } catch (error) {
      return isUniqueViolation(error)
    }
  }

  t.equal(codeOf('cat', 2), true, 'by the primary key')
  t.equal(codeOf('dog', 4), true, 'by another unique column')
  t.equal(codeOf(null, 2), false, 'another constraint')
  t.equal(isUniqueViolation(new Error('UNIQUE constraint failed')), false, 'what another part throws')
})

t.test('An error in a statement stays as it is', async (t) => {
  const connection = openPets(t)

  t.throws(() => connection.run('select nonsense', []), { code: 'ERR_SQLITE_ERROR', message: 'no such column: nonsense' })
  t.throws(() => connection.first('select nonsense', []), { code: 'ERR_SQLITE_ERROR', message: 'no such column: nonsense' })
})

t.test('The reader sees what is committed and can change nothing', async (t) => {
  const { path, db } = await openDatabase(t)
  const reader = openSqliteReader(path)
  t.teardown(() => { reader.close() })
  const count = "select count(*) as n from locks where name in ('one', 'two')"

  await write(db, 'one')
  const before = await db.transaction().execute(async (tx) => {
    await write(tx, 'two')
    return reader.first(count, [])
  })

  reader.refresh()

  t.same(before, { n: 1 })
  t.same(reader.first(count, []), { n: 2 })
  t.throws(() => reader.first('delete from locks returning name', []), { name: 'UnavailableError' })
})
