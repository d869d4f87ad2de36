import t, { type Test } from 'tap'
import { ALL_SCOPES } from '../../lib/scopes.ts'
import { createExpiry } from '../../plugins/data/expiry.ts'
import { FORGET_NETWORK_MS } from '../../plugins/data/known-networks.ts'
import { createOutbox } from '../../plugins/data/outbox.ts'
import { permissions } from '../../plugins/data/permissions.ts'
import { createRoles } from '../../plugins/data/roles.ts'
import { createUserImport } from '../../plugins/data/user-import.ts'
import { engines, type Engine } from './engines.ts'
import { HOUR, openRepositories, START } from './repositories.ts'

// What can go wrong only sometimes is tried so often.
const ROUNDS = 10

async function openScene (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, audit, clock } = repositories
  return {
    ...repositories,
    roles: createRoles(db, audit),
    userImport: createUserImport(db, audit, clock),
    expiry: createExpiry(db, clock, { auditRetentionMs: HOUR }),

    /** Who of these is enabled and has the role `admin`. */
    async administrators (): Promise<string[]> {
      const rows = await db.selectFrom('users').innerJoin('user_roles', 'user_roles.user_id', 'users.id')
        .select('username').where('role', '=', 'admin').where('disabled_at', 'is', null).orderBy('username').execute()
      return rows.map(({ username }) => username)
    }
  }
}

function codes (results: Array<PromiseSettledResult<unknown>>): unknown[] {
  return results.map((result) => result.status === 'fulfilled' ? result.value : (result.reason as { code?: string }).code).toSorted()
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Of two administrators who take the other one\'s role at the same time, one stays', async (t) => {
      const { users, accounts, administrators, db } = await openScene(t, engine)
      const ids = await Promise.all(['ada', 'ben'].map(async (username) => (await users.create({ username }, {})).id))

      for (let round = 0; round < ROUNDS; round++) {
        await db.insertInto('user_roles').values(ids.map((id) => ({ user_id: id, role: 'admin' }))).onConflict((conflict) => conflict.doNothing()).execute()

        const results = await Promise.allSettled(ids.map(async (id) => await accounts.update(id, { roles: [] }, {})))

        t.strictSame(codes(results), ['last_administrator', true])
        t.equal((await administrators()).length, 1)
      }
    })

    t.test('Of two administrators who disable each other at the same time, one is too late', async (t) => {
      const { users, accounts, administrators, db } = await openScene(t, engine)
      await users.create({ username: 'grace', roles: ['admin'] }, {})
      const [ada, ben] = await Promise.all(['ada', 'ben'].map(async (username) => (await users.create({ username, roles: ['admin'] }, {})).id)) as [string, string]

      for (let round = 0; round < ROUNDS; round++) {
        await db.updateTable('users').set({ disabled_at: null }).execute()

        const results = await Promise.allSettled([[ada, ben], [ben, ada]].map(async ([actor, user]) =>
          await accounts.update(user as string, { disabled: true }, {}, permissions.over({ id: actor as string, scopes: ALL_SCOPES }, user as string))))

        t.strictSame(codes(results), ['beyond_own_scopes', true])
        t.equal((await administrators()).length, 2)
      }
    })

    t.test('Roles that are made at the same time all give their scopes to the administrators', async (t) => {
      const { roles } = await openScene(t, engine)
      const names = Array.from({ length: ROUNDS }, (_, index) => `clerk${index}`)

      await Promise.all(names.map(async (name) => await roles.set({ name, scopes: [`${name}:read`], description: '' }, {})))

      const admin = (await roles.list()).find(({ name }) => name === 'admin')
      t.strictSame(admin?.scopes.filter((scope) => scope.startsWith('clerk')).toSorted(), names.map((name) => `${name}:read`))
    })

    t.test('Who is to have a role that is removed at the same time has it not, or is not made', async (t) => {
      const { roles, users, db, userImport } = await openScene(t, engine)

      for (let round = 0; round < ROUNDS; round++) {
        await roles.set({ name: 'clerk', scopes: [], description: '' }, {})

        const [, created, imported] = await Promise.allSettled([
          roles.remove('clerk', {}),
          users.create({ username: `ada${round}`, roles: ['clerk'] }, {}),
          userImport.add([{ username: `ben${round}`, email: null, fullName: null, passwordHash: null, roles: ['clerk'], disabled: false }], {})
        ])

        t.ok(created.status === 'fulfilled' || (created.reason as { code?: string }).code === 'unknown_role')
        t.ok(imported.status === 'fulfilled' && imported.value.length === 1 && imported.value.every((outcome) => ['imported', 'There is no role called clerk'].includes(typeof outcome === 'string' ? outcome : outcome.reason)))
        t.same(await db.selectFrom('user_roles').selectAll().execute(), [])
      }
    })

    t.test('Who signs up while being imported is there once', async (t) => {
      const { users, userImport } = await openScene(t, engine)

      for (let round = 0; round < ROUNDS; round++) {
        const username = `ada${round}`
        const [created, imported] = await Promise.allSettled([
          users.create({ username }, {}),
          userImport.add([{ username, email: null, fullName: null, passwordHash: null, roles: [], disabled: false }], {})
        ])

        const outcome = created.status === 'fulfilled' ? 'present' : 'imported'
        t.strictSame(imported, { status: 'fulfilled', value: [outcome] })
      }
    })

    t.test('Of links that are made at the same time the last one is good', async (t) => {
      const { ada, mailedToken, oneTimeTokens, db } = await openScene(t, engine)
      await ada()

      const tokens = await Promise.all(Array.from({ length: ROUNDS }, async () => await mailedToken('password_reset', null)))

      const found = await Promise.all(tokens.map(async (token) => await oneTimeTokens.find(db, 'password_reset', token)))
      t.equal(found.filter((subject) => subject !== undefined).length, 1)
    })

    t.test('A link that is used many times at the same time is good once', async (t) => {
      const { ada, mailedToken, oneTimeTokens, db } = await openScene(t, engine)
      await ada()
      const token = await mailedToken('password_reset', null)

      const taken = await Promise.all(Array.from({ length: ROUNDS }, async () => await db.transaction().execute(async (tx) => await oneTimeTokens.take(tx, 'password_reset', token))))

      t.equal(taken.filter((subject) => subject !== undefined).length, 1)
    })

    t.test('Of several processes one takes each mail', async (t) => {
      const { db, clock, outbox } = await openScene(t, engine)
      for (let count = 0; count < ROUNDS; count++) await outbox.add(db, { kind: 'invitation', userId: `user ${count}` })
      const processes = Array.from({ length: 4 }, () => createOutbox(db, clock))

      const taken = await Promise.all(processes.map(async (process) => {
        const ids: string[] = []
        for (let message = await process.take(HOUR); message !== undefined; message = await process.take(HOUR)) ids.push(message.id)
        return ids
      }))

      t.equal(taken.flat().length, ROUNDS)
      t.equal(new Set(taken.flat()).size, ROUNDS)
    })

    t.test('What is used again while it is removed for its age stays', async (t) => {
      const { db, clock, expiry, ada, knownNetworks, throttles, throttleKeys } = await openScene(t, engine)
      const { id: userId } = await ada()
      const counter = throttleKeys.ofNetwork('192.0.2.1')

      for (let round = 0; round < ROUNDS; round++) {
        await throttles.count(db, counter)
        await knownNetworks.add(db, userId, '192.0.2.1')
        clock.at += FORGET_NETWORK_MS

        await Promise.all([
          db.transaction().execute(async (tx) => {
            await throttles.count(tx, counter)
            await knownNetworks.add(tx, userId, '192.0.2.1')
          }),
          expiry.throttles(''),
          expiry.knownNetworks('')
        ])

        t.match(await throttles.find(db, counter.key), { failures: 1, anchoredAt: clock.at })
        t.equal(await knownNetworks.find(userId, '192.0.2.1'), clock.at)
      }
      t.ok(clock.at > START)
    })

    t.test('A user who is deleted while everything happens to him is gone with all that was his', async (t) => {
      const { db, users, accounts, sessions, oneTimeTokens, knownNetworks } = await openScene(t, engine)

      for (let round = 0; round < ROUNDS; round++) {
        const { id: userId } = await users.create({ username: 'ada', passwordHash: 'hash' }, {})
        await Promise.allSettled([
          sessions.open({ userId, passwordVersion: 0, clientId: 'first-party', scope: '' }, {}),
          accounts.remove(userId, {}),
          db.transaction().execute(async (tx) => await oneTimeTokens.issue(tx, 'password_reset', { userId, email: null, passwordVersion: 0 }, HOUR)),
          db.transaction().execute(async (tx) => { await knownNetworks.add(tx, userId, '192.0.2.1') }),
          accounts.update(userId, { fullName: 'Ada' }, {})
        ])

        for (const table of ['users', 'sessions', 'one_time_tokens', 'known_networks'] as const) t.same(await db.selectFrom(table).selectAll().execute(), [])
      }
    })
  })
}
