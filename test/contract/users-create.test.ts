import t from 'tap'
import { engines } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

const TAKEN = { name: 'PublicError', statusCode: 409, code: 'username_taken', message: 'The username is taken' }
const EMAIL_TAKEN = { name: 'PublicError', statusCode: 409, code: 'email_taken', message: 'The e-mail address belongs to another user' }

// One name, spelled with a composed letter, with a loose accent, in capitals and in full width.
const SPELLINGS = ['ren\u00e9e', 'rene\u0301e', 'REN\u00c9E', 'Rene\u0301e', 'ＲＥＮ\u00c9Ｅ', 'ｒｅｎｅ\u0301ｅ']
const ADDRESSES = ['ada@example.com', 'ADA@example.com', 'Ada@EXAMPLE.com', 'ada@ｅｘａｍｐｌｅ.com']

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A user is created with all that is known of it', async (t) => {
      const { users, db, events } = await openRepositories(t, engine)

      const user = await users.create({ username: 'Ada', email: 'Ada.L@Example.com', emailVerified: true, fullName: 'Ada Lovelace', passwordHash: 'hash', roles: ['admin', 'user', 'admin'] }, CONTEXT)

      t.strictSame(user, {
        id: user.id,
        username: 'ada',
        email: 'Ada.L@example.com',
        emailVerifiedAt: START,
        fullName: 'Ada Lovelace',
        disabledAt: null,
        roles: ['user', 'admin'],
        createdAt: START,
        updatedAt: START,
        lastLoginAt: null
      })
      t.match(user.id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
      t.strictSame(await users.find('ada'), user)
      t.same(await db.selectFrom('users').select(['email_key', 'password_hash', 'password_version', 'demo_at']).execute(),
        [{ email_key: 'ada.l@example.com', password_hash: 'hash', password_version: 0, demo_at: null }])
      t.same(await db.selectFrom('user_roles').selectAll().execute(), [{ user_id: user.id, role: 'admin' }])
      t.same(await events(), [event('user_created', { ...FROM_REQUEST, user_id: user.id, details: '{"roles":"admin"}' })])
    })

    t.test('A user needs no more than a name', async (t) => {
      const { users, login } = await openRepositories(t, engine)

      const user = await users.create({ username: 'ada' }, {})

      t.strictSame(user, { id: user.id, username: 'ada', email: null, emailVerifiedAt: null, fullName: null, disabledAt: null, roles: ['user'], createdAt: START, updatedAt: START, lastLoginAt: null })
      t.strictSame(await login(), { id: user.id, passwordHash: null, passwordVersion: 0, emailVerifiedAt: null, disabledAt: null, isDemo: false, scopes: ['profile', 'account'] })
    })

    t.test('An address counts as verified only if it is said to be', async (t) => {
      const { users } = await openRepositories(t, engine)

      t.equal((await users.create({ username: 'ada', email: 'ada@example.com' }, {})).emailVerifiedAt, null)
      t.equal((await users.create({ username: 'ben', emailVerified: true }, {})).emailVerifiedAt, null)
    })

    t.test('Fifty parallel creations of one username, however it is spelled, make one user', async (t) => {
      const { users, events } = await openRepositories(t, engine)

      const answers = await Promise.allSettled(Array.from({ length: 50 }, async (_, index) =>
        await users.create({ username: SPELLINGS[index % SPELLINGS.length] as string }, {})))

      const refusals = answers.filter((answer) => answer.status === 'rejected')
      t.equal(refusals.length, 49)
      refusals.forEach(({ reason }) => { t.match(reason, TAKEN) })
      t.same((await users.list()).map(({ username }) => username), ['ren\u00e9e'])
      t.equal((await events()).length, 1)
    })

    t.test('Fifty parallel creations with one address, however it is spelled, make one user', async (t) => {
      const { users, events } = await openRepositories(t, engine)

      const answers = await Promise.allSettled(Array.from({ length: 50 }, async (_, index) =>
        await users.create({ username: `user${index}`, email: ADDRESSES[index % ADDRESSES.length] as string }, {})))

      const refusals = answers.filter((answer) => answer.status === 'rejected')
      t.equal(refusals.length, 49)
      refusals.forEach(({ reason }) => { t.match(reason, EMAIL_TAKEN) })
      t.equal((await users.list()).length, 1)
      t.equal((await events()).length, 1)
    })

    t.test('Any number of users have no address', async (t) => {
      const { users } = await openRepositories(t, engine)

      await users.create({ username: 'ada' }, {})
      await users.create({ username: 'ben' }, {})

      t.same((await users.list()).map(({ username }) => username), ['ada', 'ben'])
    })

    const refused = [
      { name: 'a role that is not there', user: { username: 'ben', roles: ['admin', 'king'] }, error: { name: 'PublicError', statusCode: 400, code: 'unknown_role', message: 'There is no such role' } },
      { name: 'a name that can be none', user: { username: 'b@d' }, error: { name: 'ValidationError', statusCode: 400, code: 'validation_failed' } },
      { name: 'an address that can be none', user: { username: 'ben', email: 'ben' }, error: { name: 'ValidationError', statusCode: 400, code: 'validation_failed' } },
      { name: 'a full name that can be none', user: { username: 'ben', fullName: '' }, error: { name: 'ValidationError', statusCode: 400, code: 'validation_failed' } },
      { name: 'a name that is taken', user: { username: 'ADA', roles: ['admin'] }, error: TAKEN },
      { name: 'an address that is taken', user: { username: 'ben', email: 'ADA@example.com', roles: ['admin'] }, error: EMAIL_TAKEN }
    ]

    for (const { name, user, error } of refused) {
      t.test(`Nothing is left of a user with ${name}`, async (t) => {
        const { users, db, events } = await openRepositories(t, engine)
        const ada = await users.create({ username: 'ada', email: 'ada@example.com' }, {})

        await t.rejects(users.create(user, CONTEXT), error)

        t.strictSame(await users.list(), [ada])
        t.same(await db.selectFrom('user_roles').selectAll().execute(), [])
        t.equal((await events()).length, 1)
      })
    }
  })
}
