import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openSqlite } from '../../../lib/database/sqlite-connection.ts'
import { temporaryDirectory } from '../../helper.ts'
import { openDatabase } from './open.ts'

const PAGE = 4096

/** The path of a whole database that nobody has open. */
async function closedDatabase (t: Test): Promise<string> {
  const { path, db } = await openDatabase(t)
  await db.destroy()
  return path
}

function overwrite (path: string, position: number, bytes: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(bytes, 0xff), 0, bytes, position)
  closeSync(file)
}

t.test('A whole database opens again', async (t) => {
  const path = await closedDatabase(t)

  t.doesNotThrow(() => { openSqlite(path).close() })
})

const damages: Array<{ name: string, damage: (path: string) => void }> = [
  { name: 'truncated to half', damage: (path) => { truncateSync(path, statSync(path).size / 2) } },
  { name: 'truncated to one page', damage: (path) => { truncateSync(path, PAGE) } },
  { name: 'truncated in its header', damage: (path) => { truncateSync(path, 50) } },
  { name: 'with a page of noise', damage: (path) => { overwrite(path, 3 * PAGE, PAGE) } },
  { name: 'with noise for a header', damage: (path) => { overwrite(path, 0, 100) } },
  { name: 'that is a text', damage: (path) => { writeFileSync(path, 'To be a database, or not to be') } }
]

for (const { name, damage } of damages) {
  t.test(`A file ${name} stops the start and stays as it is`, async (t) => {
    const path = await closedDatabase(t)
    damage(path)
    const before = readFileSync(path)

    t.throws(() => openSqlite(path), {
      name: 'StartupError',
      message: `The database ${path} is damaged or is not an SQLite database; restore a backup`,
      cause: Error
    })

    t.ok(readFileSync(path).equals(before))
  })
}

for (const bytes of [0, 1]) {
  t.test(`A file of ${bytes} bytes stops the start and is not taken for a new database`, async (t) => {
    const path = await closedDatabase(t)
    truncateSync(path, bytes)

    t.throws(() => openSqlite(path), {
      name: 'StartupError',
      message: `The database ${path} is empty; restore a backup, or delete the file to begin anew`
    })

    t.equal(statSync(path).size, bytes)
  })
}

t.test('A file that another process fills meanwhile is no empty one', async (t) => {
  const whole = await closedDatabase(t)
  const path = join(temporaryDirectory(t), 'latchkey.db')
  writeFileSync(path, '')
  t.intercept(Atomics, 'wait', { value: () => { copyFileSync(whole, path) } })

  const connection = openSqlite(path)
  t.teardown(() => { connection.close() })

  t.same(connection.run('select name from roles order by name', []).rows, [{ name: 'admin' }, { name: 'user' }])
})

t.test('The same damage', async (t) => {
  function damagedDatabase (t: Test, mebibytes: number): string {
    const path = join(temporaryDirectory(t), 'latchkey.db')
    const database = new DatabaseSync(path)
    database.exec(`pragma synchronous = off; create table notes (text blob); insert into notes values (zeroblob(${mebibytes} * 1024 * 1024))`)
    database.close()
    overwrite(path, statSync(path).size / 2 - statSync(path).size / 2 % PAGE, PAGE)
    return path
  }

  t.test('stops the start with a database that is small enough to be checked', async (t) => {
    const path = damagedDatabase(t, 1)

    t.throws(() => openSqlite(path), { name: 'StartupError', message: / is damaged / })
  })

  t.test('does not slow down the start with a large one, and shows when it is read', async (t) => {
    const path = damagedDatabase(t, 65)

    const connection = openSqlite(path)
    t.teardown(() => { connection.close() })

    t.throws(() => connection.first('select text from notes', []), { code: 'ERR_SQLITE_ERROR', errcode: 11 })
  })
})
