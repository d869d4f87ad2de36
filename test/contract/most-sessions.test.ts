import t, { type Test } from 'tap'
import { engines, type Engine } from './engines.ts'
import { IDLE, LIFETIME, openRepositories, START } from './repositories.ts'

/** Ada with sessions of which one is `age` milliseconds older than the next. */
async function openScene (t: Test, engine: Engine, count: number) {
  const repositories = await openRepositories(t, engine)
  const { db, users } = repositories
  const { id: userId } = await repositories.ada()
  const { id: otherId } = await users.create({ username: 'ben' }, {})
  const row = { client_id: 'first-party', scope: 'profile', generation: 0, last_used_at: START, rotated_at: null, idle_expires_at: START + IDLE, expires_at: START + LIFETIME, revoked_at: null, ip: null, user_agent: null }
  const rows = Array.from({ length: count }, (_, age) => ({ ...row, id: `ada ${age}`, user_id: userId, created_at: START - age }))
  while (rows.length > 0) await db.insertInto('sessions').values(rows.splice(0, 500)).execute()
  await db.insertInto('sessions').values({ ...row, id: 'ben', user_id: otherId, created_at: 0 }).execute()
  return {
    ...repositories,
    async ended () {
      const rows = await db.selectFrom('sessions').select(['id', 'revoked_at']).where('revoked_at', 'is not', null).orderBy('created_at').execute()
      return rows.map(({ id, revoked_at: at }) => `${id} at ${Number(at) - START}`)
    },
    async live () {
      return (await db.selectFrom('sessions').select('id').where('user_id', '=', userId).where('revoked_at', 'is', null).execute()).length
    }
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Of a user\'s thousand sessions the oldest ends for another one, and none of others', async (t) => {
      const { open, isLive, ended, live, clock } = await openScene(t, engine, 999)

      await open()
      t.strictSame([await live(), await ended()], [1000, []])
      t.ok(await isLive('ada 998'))
      clock.at += 5
      const newest = await open()

      t.strictSame([await live(), await ended()], [1000, ['ada 998 at 5']])
      t.notOk(await isLive('ada 998'))
      t.ok(await isLive('ada 997'))
      t.ok(await isLive(newest))
    })

    t.test('Of many more than that a hundred end for each log-in', async (t) => {
      const { open, live } = await openScene(t, engine, 1150)

      await open()
      t.equal(await live(), 1051)
      await open()
      t.equal(await live(), 1000)
    })

    t.test('None ends for a log-in that came too late', async (t) => {
      const { sessions, login, live } = await openScene(t, engine, 1000)
      const { id: userId } = await login()

      t.equal(await sessions.open({ userId, passwordVersion: 7, clientId: 'first-party', scope: 'profile' }, {}), undefined)
      t.equal(await live(), 1000)
    })
  })
}
