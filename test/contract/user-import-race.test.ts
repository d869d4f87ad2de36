import { sql } from 'kysely'
import t from 'tap'
import { createUserImport, type ImportOutcome } from '../../plugins/data/user-import.ts'
import { emptySchema, needsPostgres, query, until } from '../postgres.ts'
import { postgresAt } from './engines.ts'
import { openRepositories } from './repositories.ts'

// SQLite has one writer at a time.
if (await needsPostgres(t)) {
  t.test('An import goes on when somebody signs up under one of its names meanwhile', async (t) => {
    const url = await emptySchema(t)
    const { db, audit, clock, users } = await openRepositories(t, postgresAt(url))
    const ada = { username: 'ada', email: null, fullName: null, passwordHash: null, roles: [], disabled: false }
    await users.create({ username: 'ben' }, {})
    const ben = await db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
    const isWaitedFor = async (pid: number | undefined): Promise<boolean> =>
      (await query(url, 'select pid from pg_stat_activity where $1 = any(pg_blocking_pids(pid))', [pid])).length === 1

    let outcomes: Promise<ImportOutcome[]> | undefined
    await db.transaction().execute(async (tx) => {
      await tx.insertInto('users').values({ ...ben, id: ben.id.replace(/.$/, (last) => last === '0' ? '1' : '0'), username: 'ada' }).execute()
      outcomes = createUserImport(db, audit, clock).add([ada, { ...ada, username: 'ced' }], {})
      const { rows: [own] } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      t.ok(await until(async () => await isWaitedFor(own?.pid)))
    })

    t.strictSame(await outcomes, ['present', 'imported'])
  })
}
