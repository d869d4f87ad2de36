import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { openSqlite, type SqliteConnection } from '../../../lib/database/sqlite-connection.ts'
import { createSqliteReader, openSqliteReader } from '../../../lib/database/sqlite-reader.ts'
import { build, logIn, readProfile, temporaryDirectory } from '../../helper.ts'

const COUNT = 'select count(*) as n from pets'

t.test('the reads of one turn of the event loop share a snapshot', async (t) => {
  const path = `${temporaryDirectory(t)}/pets.db`
  const writer = openSqlite(path)
  writer.run('create table pets (name text)', [])
  const reader = openSqliteReader(path)
  t.teardown(() => { reader.close() })
  t.teardown(() => { writer.close() })
  const write = (): void => { writer.run("insert into pets values ('Rex')", []) }

  t.test('what another connection commits is seen in the next turn', async (t) => {
    const before = reader.first(COUNT, [])
    write()
    const meanwhile = reader.first(COUNT, [])
    await nextTurn()
    const after = reader.first(COUNT, [])

    t.same([before, meanwhile, after], [{ n: 0 }, { n: 0 }, { n: 1 }])
  })

  t.test('what this process writes is seen at once', async (t) => {
    const before = reader.first(COUNT, [])
    write()
    reader.refresh()
    const after = reader.first(COUNT, [])

    t.same([before, after], [{ n: 1 }, { n: 2 }])
  })

  t.test('it ends with the turn, so that it does not keep the log from being taken over', async (t) => {
    reader.first(COUNT, [])
    write()
    await nextTurn()

    t.match(writer.first('pragma wal_checkpoint(truncate)', []), { busy: 0, log: 0 })
  })
})

t.test('a session that was revoked is not found in the same turn', async (t) => {
  const app = await build(t)
  const { access_token: token } = await logIn(app)
  const { sid } = app.accessTokens.verify(token)

  const before = await app.sessions.findLive(sid)
  await app.sessions.revoke(sid, 'logout', {})
  const after = await app.sessions.findLive(sid)

  t.equal(before?.id, sid)
  t.equal(after, undefined)
  t.equal((await readProfile(app, token)).statusCode, 401)
})

t.test('a snapshot that a fault has ended is not ended again', async (t) => {
  const run: string[] = []
  const reader = createSqliteReader({
    run: (sql: string) => {
      run.push(sql)
      return { rows: [], changes: 0 }
    },
    first: () => ({ data_version: 1 }),
    isInTransaction: () => false
  } as unknown as SqliteConnection)

  reader.first(COUNT, [])
  reader.refresh()

  t.same(run, ['begin'])
})
