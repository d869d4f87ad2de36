import t, { type Test } from 'tap'
import type { ImportedUser } from '../../lib/import-line.ts'
import { createUserImport } from '../../plugins/data/user-import.ts'
import { engines, type Engine } from './engines.ts'
import { CONTEXT, event, FROM_REQUEST, openRepositories, START } from './repositories.ts'

function imported (username: string, changes: Partial<ImportedUser> = {}): ImportedUser {
  return { username, email: null, fullName: null, passwordHash: null, roles: [], disabled: false, ...changes }
}

const NO_ROLE = { reason: 'There is no role called king' }
const EMAIL_TAKEN = { reason: 'The e-mail address belongs to another user' }

const address = (text: string) => ({ address: text, canonical: text.toLowerCase() })

async function open (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, audit, clock } = repositories
  return {
    ...repositories,
    userImport: createUserImport(db, audit, clock),
    everything: async () => ({
      users: await db.selectFrom('users').selectAll().orderBy('username').execute(),
      roles: await db.selectFrom('user_roles').selectAll().orderBy('user_id').execute(),
      events: await db.selectFrom('audit_events').selectAll().orderBy('id').execute()
    })
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('An imported user has all that the line says, with the hash as it is and no proven address', async (t) => {
      const { userImport, db, events } = await open(t, engine)

      const outcomes = await userImport.add([imported('ada', { email: address('Ada@example.com'), fullName: 'Ada Lovelace', passwordHash: '{SSHA}abc', roles: ['admin'], disabled: true })], CONTEXT)

      t.same(outcomes, ['imported'])
      const user = await db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
      t.match(user.id, /^[\da-f]{8}-[\da-f]{4}-7/)
      t.strictSame(user, {
        id: user.id,
        username: 'ada',
        email: 'Ada@example.com',
        email_key: 'ada@example.com',
        email_verified_at: null,
        full_name: 'Ada Lovelace',
        password_hash: '{SSHA}abc',
        password_version: 0,
        disabled_at: START,
        demo_at: null,
        created_at: START,
        updated_at: START,
        last_login_at: null
      })
      t.same(await db.selectFrom('user_roles').selectAll().execute(), [{ user_id: user.id, role: 'admin' }])
      t.same(await events(), [event('user_imported', { ...FROM_REQUEST, user_id: user.id, details: '{"roles":"admin"}' })])
    })

    t.test('An imported user needs no more than a name', async (t) => {
      const { userImport, users, login } = await open(t, engine)

      await userImport.add([imported('ada')], {})

      t.match(await users.find('ada'), { username: 'ada', email: null, emailVerifiedAt: null, fullName: null, disabledAt: null, roles: ['user'] })
      t.match(await login(), { passwordHash: null, passwordVersion: 0, disabledAt: null })
    })

    t.test('Each is judged by itself, in order, and nobody who is there is touched', async (t) => {
      const { userImport, users, everything } = await open(t, engine)
      const ada = await users.create({ username: 'ada', email: 'ada@example.com' }, {})

      const outcomes = await userImport.add([
        imported('ben', { roles: ['admin', 'king'] }),
        imported('ada', { fullName: 'Somebody Else', roles: ['king'], email: address('other@example.com') }),
        imported('ced', { email: address('ADA@example.com') }),
        imported('dan', { email: address('dan@example.com'), roles: ['admin'] }),
        imported('eve'),
        imported('fay')
      ], {})

      t.same(outcomes, [NO_ROLE, 'present', EMAIL_TAKEN, 'imported', 'imported', 'imported'])
      t.strictSame(await users.find('ada'), ada)
      const { users: rows, roles, events } = await everything()
      t.same(rows.map(({ username }) => username), ['ada', 'dan', 'eve', 'fay'])
      t.equal(roles.length, 1)
      t.same(events.map(({ type }) => type), ['user_created', 'user_imported', 'user_imported', 'user_imported'])
    })

    t.test('A user whose name is one\'s and whose address another\'s is there already', async (t) => {
      const { userImport, users } = await open(t, engine)
      await users.create({ username: 'ada', email: 'ada@example.com' }, {})
      await users.create({ username: 'ben', email: 'ben@example.com' }, {})

      t.same(await userImport.add([imported('ada', { email: address('ben@example.com') })], {}), ['present'])
    })

    t.test('To do it again does nothing', async (t) => {
      const { userImport, everything } = await open(t, engine)
      const users = [imported('ada', { email: address('ada@example.com'), roles: ['admin'] }), imported('ben')]
      await userImport.add(users, {})
      const before = await everything()

      t.same(await userImport.add(users, {}), ['present', 'present'])
      t.strictSame(await everything(), before)
    })

    t.test('A check tells the same and writes nothing', async (t) => {
      const { userImport, users, everything } = await open(t, engine)
      await users.create({ username: 'ada', email: 'ada@example.com' }, {})
      const before = await everything()

      const outcomes = await userImport.check([imported('ada'), imported('ben', { email: address('ada@example.com') }), imported('ced', { roles: ['king'] }), imported('dan', { roles: ['admin'] })])

      t.same(outcomes, ['present', EMAIL_TAKEN, NO_ROLE, 'imported'])
      t.strictSame(await everything(), before)
    })

    t.test('All of a call are there, or nobody', async (t) => {
      const { db, audit, clock, everything } = await open(t, engine)
      let events = 0
      const failing = createUserImport(db, {
        record: async (...event) => {
          if (++events === 3) throw new Error('the disk is full')
          await audit.record(...event)
        }
      }, clock)

      await t.rejects(failing.add([imported('ada', { roles: ['admin'] }), imported('ben'), imported('ced')], {}), { message: 'the disk is full' })

      t.same(await everything(), { users: [], roles: [], events: [] })
    })

    t.test('Two imports of the same users at once make each once', async (t) => {
      const { userImport, everything } = await open(t, engine)
      const users = Array.from({ length: 20 }, (_, number) => imported(`user${number}`))

      const outcomes = await Promise.all([userImport.add(users, {}), userImport.add(users.toReversed(), {})])

      t.equal(outcomes.flat().filter((outcome) => outcome === 'imported').length, 20)
      t.equal((await everything()).events.length, 20)
    })
  })
}
