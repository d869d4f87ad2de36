import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('An event is stored with all that is known of it', async (t) => {
      const { audit, db, clock, events } = await openRepositories(t, engine)
      clock.at += 5

      await audit.record(db, { type: 'login', outcome: 'failure', userId: 'user', sessionId: 'session', details: { why: 'just so', count: 3 } }, CONTEXT)

      t.strictSame(await events(), [event('login', { ...FROM_REQUEST, outcome: 'failure', at: START + 5, user_id: 'user', session_id: 'session', details: '{"why":"just so","count":3}' })])
    })

    t.test('An event is stored with as little as is known of it', async (t) => {
      const { audit, db, events } = await openRepositories(t, engine)

      await audit.record(db, { type: 'login', outcome: 'failure' }, {})

      t.strictSame(await events(), [event('login', { outcome: 'failure' })])
    })

    t.test('Every event has an id of its own, and they sort by age', async (t) => {
      const { audit, db } = await openRepositories(t, engine)

      for (let count = 0; count < 20; count++) await audit.record(db, { type: 'login', outcome: 'success', details: { count } }, {})

      const rows = await db.selectFrom('audit_events').select(['id', 'details']).orderBy('id').execute()
      t.strictSame(rows.map(({ details }) => details), Array.from({ length: 20 }, (_, count) => `{"count":${count}}`))
      rows.forEach(({ id }) => { t.match(id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/) })
    })

    t.test('An event is undone with the act that it tells of', async (t) => {
      const { audit, db, events } = await openRepositories(t, engine)

      await t.rejects(db.transaction().execute(async (tx) => {
        await audit.record(tx, { type: 'login', outcome: 'success' }, {})
        throw new Error('changed my mind')
      }))

      t.strictSame(await events(), [])
    })

    t.test('An act whose event can not be stored does not happen', async (t) => {
      const { users, sessions, signingKeys, db, login, isLive, accounts, setPassword, ...scene } = await openRepositories(t, engine)
      const { id } = await scene.ada()
      const session = await scene.open()
      const { passwordVersion } = await login()
      await db.schema.dropTable('audit_events').execute()

      const acts = [
        users.create({ username: 'ben' }, {}),
        accounts.update(id, { disabled: true }, {}),
        setPassword(id, 'new hash', {}),
        accounts.logout(id, {}),
        sessions.open({ userId: id, passwordVersion, clientId: 'first-party', scope: 'profile' }, {}),
        sessions.revoke(session, 'logout', {}),
        signingKeys.add({ kid: 'one', alg: 'ES256', privateKey: '', createdAt: 0, activatesAt: 0, revokedAt: null }, { isWanted: () => true, revokeOthers: false }, {})
      ]

      t.same((await Promise.allSettled(acts)).map(({ status }) => status), Array(acts.length).fill('rejected'))
      t.equal(await users.find('ben'), undefined)
      t.strictSame(await login(), { id, passwordHash: 'hash', passwordVersion: 0, emailVerifiedAt: null, disabledAt: null, isDemo: false, scopes: ['profile', 'account'] })
      t.equal(await isLive(session), true)
      t.equal((await db.selectFrom('sessions').select('id').execute()).length, 1)
      t.same(await signingKeys.list(), [])
    })
  })
}
