import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, IDLE, LIFETIME, openRepositories, START } from './repositories.ts'

const SCENE = ['user_created']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A session opens with all that is known of it, and the log-in is noted', async (t) => {
      const { users, sessions, db, clock, events, ...scene } = await openRepositories(t, engine)
      const { id: userId } = await scene.ada()
      clock.at += 5

      const session = await sessions.open({ userId, passwordVersion: 0, clientId: 'first-party', scope: 'profile' }, CONTEXT)

      t.strictSame(session, { id: session?.id, createdAt: START + 5 })
      t.match(session?.id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      t.same(await db.selectFrom('sessions').selectAll().execute(), [{
        id: session?.id,
        user_id: userId,
        client_id: 'first-party',
        scope: 'profile',
        generation: 0,
        created_at: START + 5,
        last_used_at: START + 5,
        rotated_at: null,
        idle_expires_at: START + 5 + IDLE,
        expires_at: START + 5 + LIFETIME,
        revoked_at: null,
        ip: '192.0.2.1',
        user_agent: 'curl/8'
      }])
      t.match(await users.find('ada'), { lastLoginAt: START + 5, updatedAt: START })
      t.same(await events(...SCENE), [event('login', { ...FROM_REQUEST, user_id: userId, session_id: session?.id ?? '', at: START + 5 })])
    })

    t.test('A session opens from a request that tells nothing of itself', async (t) => {
      const { db, ada, open, events } = await openRepositories(t, engine)
      const { id: userId } = await ada()

      const id = await open()

      t.same(await db.selectFrom('sessions').select(['ip', 'user_agent']).execute(), [{ ip: null, user_agent: null }])
      t.same(await events(...SCENE), [event('login', { user_id: userId, session_id: id })])
    })

    t.test('A live session tells who it belongs to and what that user may do now', async (t) => {
      const { users, sessions, db, ada, open } = await openRepositories(t, engine)
      await ada({ email: 'ada@example.com', fullName: 'Ada Lovelace', roles: ['admin'] })
      const id = await open({ scope: 'profile users:read' })

      const live = await sessions.findLive(id)
      await db.deleteFrom('user_roles').execute()
      const demoted = await sessions.findLive(id)

      const user = await users.find('ada')
      t.strictSame(live, {
        id,
        clientId: 'first-party',
        scope: 'profile users:read',
        createdAt: START,
        expiresAt: START + IDLE,
        user: { ...user, roles: ['user', 'admin'] },
        allowed: live?.allowed
      })
      t.strictSame(live?.allowed.toSorted(), ['account', 'audit:read', 'keys:read', 'keys:write', 'profile', 'roles:read', 'roles:write', 'users:read', 'users:write'])
      t.strictSame(demoted?.allowed.toSorted(), ['account', 'profile'])
      t.strictSame(demoted?.user, user)
    })

    t.test('No session opens', async (t) => {
      t.test('if the password changed after it was verified', async (t) => {
        const { sessions, ada, login, setPassword } = await openRepositories(t, engine)
        const { id } = await ada()
        const { passwordVersion } = await login()

        await setPassword(id, 'new hash', {})

        t.equal(await sessions.open({ userId: id, passwordVersion, clientId: 'first-party', scope: 'profile' }, {}), undefined)
      })

      t.test('if the user was disabled after the password was verified', async (t) => {
        const { users, sessions, db, ada, events, accounts } = await openRepositories(t, engine)
        const { id } = await ada()

        await accounts.update(id, { disabled: true }, {})

        t.equal(await sessions.open({ userId: id, passwordVersion: 0, clientId: 'first-party', scope: 'profile' }, {}), undefined)
        t.same(await db.selectFrom('sessions').selectAll().execute(), [])
        t.match(await users.find('ada'), { lastLoginAt: null })
        t.same(await events(...SCENE, 'user_disabled'), [])
      })

      t.test('for nobody', async (t) => {
        const { sessions } = await openRepositories(t, engine)

        t.equal(await sessions.open({ userId: 'nobody', passwordVersion: 0, clientId: 'first-party', scope: 'profile' }, {}), undefined)
      })
    })

    t.test('A session that opens while the password is set is over or was never there', async (t) => {
      const { sessions, ada, isLive, setPassword } = await openRepositories(t, engine)
      const { id: userId } = await ada()
      const open = async () => await sessions.open({ userId, passwordVersion: 0, clientId: 'first-party', scope: 'profile' }, {})

      const [before, , after] = await Promise.all([open(), setPassword(userId, 'new hash', {}), open(), open()])

      t.equal(await isLive(before?.id ?? ''), false)
      t.equal(await isLive(after?.id ?? ''), false)
    })

    t.test('A session is dead', async (t) => {
      t.test('when nobody ever opened it', async (t) => {
        const { isLive } = await openRepositories(t, engine)

        t.equal(await isLive('0198c0de-0000-7000-8000-000000000000'), false)
        t.equal(await isLive(''), false)
      })

      t.test('when it was revoked', async (t) => {
        const { sessions, ada, open, isLive } = await openRepositories(t, engine)
        await ada()
        const id = await open()

        await sessions.revoke(id, 'logout', {})

        t.equal(await isLive(id), false)
      })

      t.test('when its user is disabled, even if nobody revoked it', async (t) => {
        const { db, ada, open, isLive, accounts } = await openRepositories(t, engine)
        const { id: userId } = await ada()
        const id = await open()

        await accounts.update(userId, { disabled: true }, {})
        await db.updateTable('sessions').set({ revoked_at: null }).execute()

        t.equal(await isLive(id), false)
      })

      t.test('when it was not used for so long, from that very millisecond on', async (t) => {
        const { ada, open, clock, isLive } = await openRepositories(t, engine)
        await ada()
        const id = await open()

        clock.at = START + IDLE - 1
        t.equal(await isLive(id), true)
        clock.at = START + IDLE
        t.equal(await isLive(id), false)
      })

      t.test('when it is as old as a session can be, however much it was used, from that very millisecond on', async (t) => {
        const { sessions, ada, open, clock, isLive } = await openRepositories(t, engine)
        await ada()
        const id = await open()

        for (let generation = 0; clock.at + IDLE < START + LIFETIME; generation++) {
          clock.at += IDLE - 1
          t.equal(await sessions.rotate(id, generation, {}), generation + 1)
        }
        clock.at = START + LIFETIME - 1
        t.equal(await isLive(id), true)
        clock.at = START + LIFETIME
        t.equal(await isLive(id), false)
      })
    })

    t.test('A session is revoked once', async (t) => {
      const { sessions, db, ada, open, clock, events } = await openRepositories(t, engine)
      const { id: userId } = await ada()
      const id = await open()
      clock.at += 5

      const answers = await Promise.all(Array.from({ length: 10 }, async () => await sessions.revoke(id, 'logout', CONTEXT)))
      clock.at += 5
      const late = await sessions.revoke(id, 'logout', {})
      const unknown = await sessions.revoke('0198c0de-0000-7000-8000-000000000000', 'logout', {})

      t.equal(answers.filter(Boolean).length, 1)
      t.strictSame([late, unknown], [false, false])
      t.same(await db.selectFrom('sessions').select('revoked_at').execute(), [{ revoked_at: START + 5 }])
      t.same(await events(...SCENE, 'login'), [event('logout', { ...FROM_REQUEST, user_id: userId, session_id: id, at: START + 5 })])
    })
  })
}
