import { sql } from 'kysely'
import t from 'tap'
import { emptySchema, needsPostgres, until } from '../../postgres.ts'
import { openPostgres } from './open-postgres.ts'

if (await needsPostgres(t)) {
  t.test('Rows can be streamed', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))
    const rows: unknown[] = []

    for await (const row of db.selectFrom('roles').select('name').orderBy('name').stream()) rows.push(row)

    t.same(rows, [{ name: 'admin' }, { name: 'user' }])
  })

  t.test('What belongs to nobody is forgotten at every change of a user', async (t) => {
    const { db, rememberRead } = await openPostgres(t, await emptySchema(t))
    await db.insertInto('users').values({ id: 'ada', username: 'ada', password_version: 0, created_at: 0, updated_at: 0 } as never).execute()
    let reads = 0
    const find = rememberRead(async () => ({ number: ++reads }))

    t.same([await find('key'), await find('key')], [{ number: 1 }, { number: 1 }])
    await db.updateTable('users').set({ disabled_at: 1 }).where('id', '=', 'ada').execute()

    t.ok(await until(async () => (await find('key'))?.number === 2))
  })

  t.test('A copy is left to the tools of PostgreSQL', async (t) => {
    const { backup } = await openPostgres(t, await emptySchema(t))

    t.throws(() => { backup('/nowhere/copy.db') }, { name: 'StartupError' })
  })

  t.test('Text that PostgreSQL can not hold is the fault of who sent it', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))

    await t.rejects(db.selectFrom('users').select('id').where('username', '=', 'a\0b').execute(), { name: 'ValidationError', message: 'Text must not hold the character U+0000' })
  })

  t.test('Kysely is told of the tables of our schema, and of no schemas', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))

    t.same(await db.introspection.getSchemas(), [])
    t.ok((await db.introspection.getTables()).some(({ name }) => name === 'users'))
  })

  t.test('Text is compared by its bytes, whatever the language of the server is', async (t) => {
    const { db } = await openPostgres(t, await emptySchema(t))

    const { rows } = await sql`
      select distinct collation_name as collation from information_schema.columns
      where table_schema = current_schema() and table_name not like 'kysely%' and data_type = 'text'`.execute(db)

    t.strictSame(rows, [{ collation: 'C' }])
  })
}
