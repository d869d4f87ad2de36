import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

const SCENE = ['user_created', 'login']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Disabling a user ends the sessions at once and is audited, the second time nothing happens', async (t) => {
      const { users, sessions, clock, events, isLive, accounts, ...scene } = await openRepositories(t, engine)
      const { id } = await scene.ada()
      const ended = [await scene.open(), await scene.open()]
      await users.create({ username: 'ben' }, {})
      const { id: benId } = await scene.login('ben')
      const ofBen = await sessions.open({ userId: benId, passwordVersion: 0, clientId: 'first-party', scope: 'profile' }, {})
      clock.at += 5

      const first = await accounts.update(id, { disabled: true }, CONTEXT)
      clock.at += 5
      const second = await accounts.update(id, { disabled: true }, CONTEXT)

      t.strictSame([first, second], [true, false])
      t.match(await users.find('ada'), { disabledAt: START + 5, updatedAt: START + 5 })
      t.match(await scene.login(), { disabledAt: START + 5 })
      t.strictSame(await Promise.all(ended.map(isLive)), [false, false])
      t.equal(await isLive(ofBen?.id ?? ''), true)
      t.same(await events(...SCENE), [event('user_disabled', { ...FROM_REQUEST, user_id: id, at: START + 5 })])
      t.same(await scene.db.selectFrom('sessions').select('revoked_at').where('user_id', '=', id).execute(), [{ revoked_at: START + 5 }, { revoked_at: START + 5 }])
    })

    t.test('Of parallel callers who disable a user one did it', async (t) => {
      const { ada, events, accounts } = await openRepositories(t, engine)
      const { id } = await ada()

      const answers = await Promise.all(Array.from({ length: 10 }, async () => await accounts.update(id, { disabled: true }, {})))

      t.equal(answers.filter(Boolean).length, 1)
      t.equal((await events(...SCENE)).length, 1)
    })

    t.test('Enabling a user brings back the user and not the sessions', async (t) => {
      const { users, ada, open, clock, events, isLive, accounts } = await openRepositories(t, engine)
      const { id } = await ada()
      const before = await open()

      const early = await accounts.update(id, { disabled: false }, CONTEXT)
      await accounts.update(id, { disabled: true }, {})
      clock.at += 5
      const first = await accounts.update(id, { disabled: false }, CONTEXT)
      const second = await accounts.update(id, { disabled: false }, CONTEXT)

      t.strictSame([early, first, second], [false, true, false])
      t.match(await users.find('ada'), { disabledAt: null, updatedAt: START + 5 })
      t.equal(await isLive(before), false)
      t.equal(await isLive(await open()), true)
      t.same(await events(...SCENE, 'user_disabled'), [event('user_enabled', { ...FROM_REQUEST, user_id: id, at: START + 5 })])
    })

    t.test('A new password ends the sessions and counts', async (t) => {
      const { users, ada, open, login, clock, events, isLive, setPassword } = await openRepositories(t, engine)
      const { id } = await ada()
      const session = await open()
      clock.at += 5

      await setPassword(id, 'new hash', CONTEXT)
      await setPassword(id, 'newer hash', {})

      t.match(await login(), { passwordHash: 'newer hash', passwordVersion: 2 })
      t.match(await users.find('ada'), { updatedAt: START + 5 })
      t.equal(await isLive(session), false)
      t.same(await events(...SCENE), [
        event('user_password_set', { ...FROM_REQUEST, user_id: id, at: START + 5, details: '{"sessions":1}' }),
        event('user_password_set', { user_id: id, at: START + 5, details: '{"sessions":0}' })
      ])
    })

    t.test('A hash is upgraded only from the one that was verified, and that is no new password', async (t) => {
      const { users, ada, open, login, clock, events, isLive, passwords } = await openRepositories(t, engine)
      const { id } = await ada()
      await users.create({ username: 'ben', passwordHash: 'hash' }, {})
      const session = await open()
      clock.at += 5

      await passwords.upgradeHash(id, 'hash', 'better hash')
      await passwords.upgradeHash(id, 'hash', 'late hash')

      t.match(await login(), { passwordHash: 'better hash', passwordVersion: 0 })
      t.equal((await login('ben')).passwordHash, 'hash')
      t.match(await users.find('ada'), { updatedAt: START })
      t.equal(await isLive(session), true)
      t.same(await events(...SCENE), [])
    })

    t.test('A hash that is upgraded late does not undo a new password', async (t) => {
      const { ada, login, passwords, setPassword } = await openRepositories(t, engine)
      const { id } = await ada()

      await setPassword(id, 'new hash', {})
      await passwords.upgradeHash(id, 'hash', 'better hash')

      t.match(await login(), { passwordHash: 'new hash', passwordVersion: 1 })
    })

    t.test('Logging a user out ends all sessions that are not over and tells how many', async (t) => {
      const { sessions, ada, open, events, isLive, accounts } = await openRepositories(t, engine)
      const { id } = await ada()
      const [over, ...live] = [await open(), await open(), await open()]
      await sessions.revoke(over as string, 'logout', {})

      const first = await accounts.logout(id, CONTEXT)
      const second = await accounts.logout(id, CONTEXT)

      t.strictSame([first, second], [2, 0])
      t.strictSame(await Promise.all(live.map(isLive)), [false, false])
      t.same(await events(...SCENE, 'logout'), [
        event('user_logged_out', { ...FROM_REQUEST, user_id: id, details: '{"sessions":2}' }),
        event('user_logged_out', { ...FROM_REQUEST, user_id: id, details: '{"sessions":0}' })
      ])
    })

    t.test('Nothing happens to a user who is not there', async (t) => {
      const { accounts, events } = await openRepositories(t, engine)

      t.equal(await accounts.update('nobody', { fullName: 'Nobody' }, CONTEXT), false)
      t.equal(await accounts.update('nobody', { roles: [] }, CONTEXT), false)
      t.equal(await accounts.update('nobody', { disabled: true }, CONTEXT), false)
      t.equal(await accounts.remove('nobody', CONTEXT), false)
      t.same(await events(), [])
    })

    t.test('A demo user is one until the password changes, or it is disabled', async (t) => {
      const { users, accounts, passwords, setPassword, ada } = await openRepositories(t, engine)
      const { id: benId } = await users.create({ username: 'ben', demo: true }, {})
      await accounts.update(benId, { disabled: true }, {})
      t.equal(await users.findDemo(), undefined)
      const { id } = await ada({ demo: true })
      t.strictSame(await users.findDemo(), { id, username: 'ada' })

      await passwords.upgradeHash(id, 'hash', 'better hash')
      t.strictSame(await users.findDemo(), { id, username: 'ada' })
      await setPassword(id, 'new hash', {})

      t.equal(await users.findDemo(), undefined)
    })
  })
}
