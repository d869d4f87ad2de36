import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openSqliteReader } from '../../../lib/database/sqlite-reader.ts'
import { temporaryDirectory } from '../../helper.ts'
import { openDatabase, startProcess, write } from './open.ts'

// Each transaction adds the two halves of a pair, so that half a transaction shows as an odd number.
const WRITE_PAIRS = `
  import { once } from 'node:events'
  import { DatabaseSync } from 'node:sqlite'
  import { setImmediate } from 'node:timers/promises'
  const database = new DatabaseSync(process.argv[1], { timeout: 5000 })
  const add = database.prepare('insert into locks (name, taken_at) values (?, ?)')
  let isDone = false
  once(process.stdin, 'data').then(() => { isDone = true })
  for (let pair = 1; !isDone; pair++) {
    database.exec('begin immediate')
    add.run('left ' + pair, pair)
    add.run('right ' + pair, pair)
    database.exec('commit')
    if (pair === 5) process.stdout.write('writing')
    await setImmediate()
  }
  process.exit()`

function inspect (path: string): { check: unknown, rows: Array<{ name: string }> } {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return {
      check: database.prepare('pragma integrity_check').get()?.integrity_check,
      rows: database.prepare('select name from locks order by name').all() as Array<{ name: string }>
    }
  } finally {
    database.close()
  }
}

t.test('A backup is consistent while another process writes', async (t) => {
  const { path } = await openDatabase(t)
  const reader = openSqliteReader(path)
  t.teardown(() => { reader.close() })
  const writer = startProcess(t, WRITE_PAIRS, path)
  await writer.answer()
  const targets = ['first', 'second', 'third'].map((name) => join(temporaryDirectory(t), `${name}.db`))

  targets.forEach((target) => { reader.backup(target) })
  writer.tell()
  await writer.end

  for (const target of targets) {
    const { check, rows } = inspect(target)
    const pairs = (side: string): string[] => rows.filter(({ name }) => name.startsWith(side)).map(({ name }) => name.slice(side.length))
    t.equal(check, 'ok')
    t.ok(pairs('left ').length >= 5)
    t.same(pairs('left '), pairs('right '))
  }
})

t.test('A backup holds what was committed before, and only its owner can read it', async (t) => {
  const { connection, db } = await openDatabase(t)
  const target = join(temporaryDirectory(t), 'backup.db')
  await write(db, 'before')

  connection.backup(target)
  await write(db, 'after')

  t.same(inspect(target), { check: 'ok', rows: [{ name: 'before' }, { name: 'signing-keys' }] })
  t.equal(statSync(target).mode & 0o777, 0o600)
})

t.test('A backup overwrites nothing, not even an empty file', async (t) => {
  const { connection } = await openDatabase(t)

  for (const content of ['last year', '']) {
    const target = join(temporaryDirectory(t), 'backup.db')
    writeFileSync(target, content)

    t.throws(() => { connection.backup(target) }, { name: 'StartupError', message: `${target} exists already; a backup does not overwrite`, cause: { code: 'EEXIST' } })

    t.equal(readFileSync(target, 'utf8'), content)
  }
})

t.test('A backup into a directory that is not there says so', async (t) => {
  const { connection } = await openDatabase(t)
  const target = join(temporaryDirectory(t), 'nowhere', 'backup.db')

  t.throws(() => { connection.backup(target) }, { name: 'StartupError', message: `${target} can't be written`, cause: { code: 'ENOENT' } })
})

t.test('A backup that fails leaves no file that could pass for one', async (t) => {
  const { connection, db } = await openDatabase(t)
  const target = join(temporaryDirectory(t), 'backup.db')

  await db.transaction().execute(async () => {
    t.throws(() => { connection.backup(target) }, { name: 'StartupError', message: `${target} can't be written` })
  })

  t.notOk(existsSync(target))
})
