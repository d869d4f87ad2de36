import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openSqlite, type SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import { createSqliteReader, type SqliteReader, openSqliteReader } from '../../../lib/database/sqlite-reader.ts'
import { temporaryDirectory } from '../../helper.ts'

const COUNT = 'select count(*) as n from pets'

function openPets (t: Test): { path: string, reader: SqliteReader, write: () => void } {
  const path = `${temporaryDirectory(t)}/pets.db`
  const writer = openSqlite(path)
  writer.run('create table pets (name text)', [])
  const reader = openSqliteReader(path)
  t.teardown(() => { reader.close() })
  t.teardown(() => { writer.close() })
  return { path, reader, write: () => { writer.run("insert into pets values ('Rex')", []) } }
}

t.test('the version stays as long as nobody commits anything', async (t) => {
  const { reader } = openPets(t)

  const before = reader.version()
  reader.first(COUNT, [])
  await nextTurn()
  const after = reader.version()
  reader.refresh()

  t.same([after, reader.version()], [before, before])
})

t.test('what another connection commits changes the version in the next turn', async (t) => {
  const { reader, write } = openPets(t)

  const before = reader.version()
  write()
  const meanwhile = reader.version()
  await nextTurn()
  const after = reader.version()

  t.equal(meanwhile, before)
  t.not(after, before)
})

t.test('what this process commits changes the version at once', async (t) => {
  const { reader, write } = openPets(t)

  const before = reader.version()
  reader.refresh()
  write()

  t.not(reader.version(), before)
})

t.test('the version is never newer than what is read', async (t) => {
  const { reader, write } = openPets(t)
  const before = reader.version()
  await nextTurn()

  reader.first(COUNT, [])
  write()

  t.equal(reader.version(), before)
})

t.test('a version that is older than what is read does not stay', async (t) => {
  const { reader, write } = openPets(t)

  const version = reader.version()
  write()
  const read = reader.first(COUNT, [])
  await nextTurn()

  t.same(read, { n: 1 })
  t.not(reader.version(), version)
})

t.test('a version that can\'t be read is told, and the one of before is not given for it', async (t) => {
  const FAULT = new Error('the disk is gone')
  const versions = [1, FAULT, 2]
  const reader = createSqliteReader({
    first: () => {
      const version = versions.shift()
      if (version === FAULT) throw FAULT
      return { data_version: version }
    },
    isInTransaction: () => true
  } as unknown as SqliteConnection)
  reader.version()
  reader.refresh()

  t.throws(() => reader.version(), FAULT)

  t.equal(reader.version(), 2)
  reader.refresh()
})
