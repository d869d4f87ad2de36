import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openSqlite } from '../../../lib/database/sqlite-connection.ts'
import { temporaryDirectory } from '../../helper.ts'
import { lockInOtherProcess, openDatabase, startProcess } from './open.ts'

const NOBODY = 65534

const LOCK_FOR_A_MOMENT = `
  import { DatabaseSync } from 'node:sqlite'
  const database = new DatabaseSync(process.argv[1])
  database.exec('create table roles (name text); begin immediate')
  process.stdout.write('locked')
  setTimeout(() => database.close(), 500)`

/** Runs as somebody to whom the permissions of files apply, who root is not. */
function withoutPrivileges (run: () => void): void {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    run()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

function refuses (t: Test, path: string, fault: string): void {
  t.throws(() => openSqlite(path), { name: 'StartupError', message: `The database ${path} ${fault}`, cause: Error })
}

const UNOPENABLE = "can't be opened: check that the directory exists and can be written"

const places: Array<{ name: string, place: (directory: string) => string }> = [
  { name: 'below a regular file', place: (directory) => join(directory, 'file', 'latchkey.db') },
  { name: 'further below a regular file', place: (directory) => join(directory, 'file', 'data', 'latchkey.db') },
  { name: 'that is a directory', place: (directory) => directory },
  { name: 'with too long a name', place: (directory) => join(directory, 'x'.repeat(300)) },
  { name: 'in a file system where nobody makes files', place: () => '/proc/latchkey.db' },
  { name: 'in a file system where nobody makes directories', place: () => '/proc/latchkey/data/latchkey.db' }
]

for (const { name, place } of places) {
  t.test(`A path ${name} stops the start`, async (t) => {
    const directory = temporaryDirectory(t)
    writeFileSync(join(directory, 'file'), '')

    refuses(t, place(directory), UNOPENABLE)

    t.same(readdirSync(directory), ['file'])
  })
}

t.test('A directory that is not there is made for its owner only, with those above it', async (t) => {
  const directory = join(temporaryDirectory(t), 'var', 'data')

  await openDatabase(t, join(directory, 'latchkey.db'))

  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.equal(statSync(join(directory, '..')).mode & 0o777, 0o700)
})

t.test('What the process has no right to', async (t) => {
  const directory = temporaryDirectory(t)
  chmodSync(directory, 0o755)
  const folder = async (name: string, mode: number): Promise<string> => {
    const path = join(directory, name, 'latchkey.db')
    mkdirSync(join(directory, name))
    const { db } = await openDatabase(t, path)
    await db.destroy()
    chmodSync(path, 0o444)
    chmodSync(join(directory, name), mode)
    t.teardown(() => { chmodSync(join(directory, name), 0o700) })
    return path
  }

  t.test('a database that can only be read stops the start', async (t) => {
    const path = await folder('read-only', 0o555)

    withoutPrivileges(() => { refuses(t, path, "can't be written") })
  })

  t.test('a directory that can only be read stops the start', async (t) => {
    const path = await folder('no-more-files', 0o555)

    withoutPrivileges(() => { refuses(t, join(path, '..', 'new.db'), UNOPENABLE) })
  })

  t.test('a directory that can not even be read stops the start', async (t) => {
    const path = await folder('private', 0o000)

    withoutPrivileges(() => { refuses(t, path, UNOPENABLE) })
  })

  t.test('a directory that it may not make stops the start', async (t) => {
    const path = await folder('no-more-folders', 0o555)

    withoutPrivileges(() => { refuses(t, join(path, '..', 'data', 'latchkey.db'), UNOPENABLE) })
  })
})

for (const mode of ['wal', 'delete']) {
  t.test(`A database in journal mode ${mode} that another process holds locked stops the start in the end`, async (t) => {
    const { path, db, connection } = await openDatabase(t)
    connection.first(`pragma journal_mode = ${mode}`, [])
    await db.destroy()
    const release = await lockInOtherProcess(t, path)

    refuses(t, path, 'is locked by another program')

    await release()
    t.doesNotThrow(() => { openSqlite(path).close() })
  })
}

t.test('A start waits for another one that is making the file', async (t) => {
  const path = join(temporaryDirectory(t), 'latchkey.db')
  const other = startProcess(t, LOCK_FOR_A_MOMENT, path)
  await other.answer()

  const connection = openSqlite(path)
  t.teardown(() => { connection.close() })

  t.strictSame(connection.first('pragma journal_mode', []), { journal_mode: 'wal' })
})

t.test('A fault that no sentence is known for stays as it is, and nothing is left open', async (t) => {
  const path = join(temporaryDirectory(t), 'latchkey.db')
  const closed = t.capture(DatabaseSync.prototype, 'close', DatabaseSync.prototype.close)
  t.intercept(DatabaseSync.prototype, 'exec', { value: () => { throw new Error('new in this version of SQLite') } })

  t.throws(() => openSqlite(path), { message: 'new in this version of SQLite' })

  t.equal(closed().length, 1)
})
