import t, { type Test } from 'tap'
import { createUserSessions } from '../../plugins/data/user-sessions.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, HOUR, IDLE, LIFETIME, openRepositories, START } from './repositories.ts'

const UNKNOWN = '0198c0de-0000-7000-8000-000000000000'

async function openUserSessions (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, audit, clock, users } = repositories
  const userSessions = createUserSessions(db, audit, clock)
  const { id: adaId } = await repositories.ada()
  const { id: benId } = await users.create({ username: 'ben' }, {})
  return {
    ...repositories,
    userSessions,
    adaId,
    benId,
    idsOf: async (userId: string, page: Parameters<typeof userSessions.list>[1] = { limit: 100 }) => (await userSessions.list(userId, page)).map(({ id }) => id)
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A session is listed with what is known of it', async (t) => {
      const { userSessions, sessions, open, clock, adaId } = await openUserSessions(t, engine)
      const known = await open({ scope: 'profile' }, CONTEXT)
      clock.at += HOUR
      const unknown = await open()
      clock.at += HOUR
      await sessions.rotate(known, 0, {})

      t.strictSame(await userSessions.list(adaId, { limit: 10 }), [
        { id: unknown, clientId: 'first-party', scope: 'profile account', createdAt: START + HOUR, lastUsedAt: START + HOUR, expiresAt: START + HOUR + IDLE, ip: null, userAgent: null },
        { id: known, clientId: 'first-party', scope: 'profile', createdAt: START, lastUsedAt: START + 2 * HOUR, expiresAt: START + 2 * HOUR + IDLE, ip: '192.0.2.1', userAgent: 'curl/8' }
      ])
    })

    t.test('Of a session that is used to the end the end is told', async (t) => {
      const { userSessions, sessions, open, clock, adaId } = await openUserSessions(t, engine)
      const id = await open()
      for (let generation = 0; clock.at + IDLE < START + LIFETIME; generation++) {
        clock.at += IDLE - 1
        await sessions.rotate(id, generation, {})
      }

      t.match(await userSessions.list(adaId, { limit: 10 }), [{ id, expiresAt: START + LIFETIME }])
      clock.at = START + LIFETIME - 1
      t.equal((await userSessions.list(adaId, { limit: 10 })).length, 1)
      clock.at = START + LIFETIME
      t.strictSame(await userSessions.list(adaId, { limit: 10 }), [])
      t.equal(await userSessions.revoke(adaId, id, {}), false)
    })

    t.test('Only live sessions of the user are listed', async (t) => {
      const { sessions, open, clock, adaId, benId, idsOf } = await openUserSessions(t, engine)
      const idle = await open()
      clock.at += 1
      const over = await open()
      const live = await open()
      await sessions.open({ userId: benId, passwordVersion: 0, clientId: 'first-party', scope: 'profile' }, {})
      await sessions.revoke(over, 'logout', {})
      clock.at = START + IDLE - 1
      t.strictSame(await idsOf(adaId), [live, idle])
      clock.at = START + IDLE

      t.strictSame(await idsOf(adaId), [live])
      t.strictSame(await idsOf(UNKNOWN), [])
    })

    t.test('A page begins after the position', async (t) => {
      const { userSessions, open, clock, adaId, idsOf } = await openUserSessions(t, engine)
      const oldest = await open()
      clock.at += 1
      const together = [await open(), await open(), await open()].toSorted().toReversed()
      clock.at += 1
      const newest = await open()
      const all = [newest, ...together, oldest]

      t.strictSame(await idsOf(adaId), all)
      for (const [index, session] of (await userSessions.list(adaId, { limit: 10 })).entries()) {
        t.strictSame(await idsOf(adaId, { limit: 2, after: session }), all.slice(index + 1, index + 3))
      }
      t.strictSame(await idsOf(adaId, { limit: 3 }), all.slice(0, 3))
    })

    t.test('Sessions of the same millisecond are in the order of their ids, whenever they were stored', async (t) => {
      const { db, open, adaId, idsOf } = await openUserSessions(t, engine)
      const row = await db.selectFrom('sessions').selectAll().where('id', '=', await open()).executeTakeFirstOrThrow()
      const ids = [3, 1, 4, 2].map((number) => `0198c0de-0000-7000-8000-00000000000${number}`)
      for (const id of ids) await db.insertInto('sessions').values({ ...row, id }).execute()

      t.strictSame(await idsOf(adaId), [row.id, ...ids].toSorted().toReversed())
    })

    t.test('A session is revoked by its user, once', async (t) => {
      const { userSessions, open, clock, events, isLive, adaId } = await openUserSessions(t, engine)
      const [id, other] = [await open(), await open()]
      clock.at += 5

      const answers = await Promise.all(Array.from({ length: 10 }, async () => await userSessions.revoke(adaId, id, CONTEXT)))

      t.equal(answers.filter(Boolean).length, 1)
      t.equal(await isLive(id), false)
      t.equal(await isLive(other), true)
      t.same(await events('user_created', 'login'), [event('session_revoked', { ...FROM_REQUEST, user_id: adaId, session_id: id, at: START + 5 })])
    })

    t.test('Nobody revokes a session that is not his or is over', async (t) => {
      const { userSessions, sessions, open, clock, events, isLive, adaId, benId, db } = await openUserSessions(t, engine)
      const [id, over] = [await open(), await open()]
      await sessions.revoke(over, 'logout', {})

      t.equal(await userSessions.revoke(benId, id, {}), false)
      t.equal(await userSessions.revoke(adaId, over, {}), false)
      t.equal(await userSessions.revoke(adaId, UNKNOWN, {}), false)
      t.equal(await isLive(id), true)
      clock.at = START + IDLE
      t.equal(await userSessions.revoke(adaId, id, {}), false)
      t.match(await db.selectFrom('sessions').select('revoked_at').where('id', '=', id).execute(), [{ revoked_at: null }])
      t.same(await events('user_created', 'login', 'logout'), [])
    })
  })
}
