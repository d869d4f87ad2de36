import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createDueMails } from '../../plugins/data/due-mails.ts'
import { permissions } from '../../plugins/data/permissions.ts'
import { engines } from './engines.ts'
import { openRepositories } from './repositories.ts'

// What does not wait for the other transaction, though it should, is done by then.
const HEAD_START_MS = 100

/** Does one thing while a transaction with another is open, which ends only after that has begun. */
async function overtake<Result> (open: (hold: () => Promise<void>) => Promise<unknown>, work: () => Promise<Result>): Promise<Result> {
  const isOpen = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  const opened = open(async () => {
    isOpen.resolve()
    await mayEnd.promise
  })
  await isOpen.promise
  const working = work()
  working.catch(() => {})
  await sleep(HEAD_START_MS)
  mayEnd.resolve()
  await opened
  return await working
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('Nobody changes the address of a user who is being given more than he holds himself', async (t) => {
      const { users, accounts, db } = await openRepositories(t, engine)
      await db.insertInto('roles').values({ name: 'helper', scopes: 'users:write', description: '' }).execute()
      const { id: helperId } = await users.create({ username: 'helper', roles: ['helper'] }, {})
      const { id } = await users.create({ username: 'ada' }, {})
      const guard = permissions.over({ id: helperId, scopes: ['users:write'] }, id)

      const changed = overtake(
        async (hold) => await accounts.update(id, { roles: ['admin'] }, {}, hold),
        async () => await accounts.update(id, { email: 'helper@example.com' }, {}, guard)
      )

      await t.rejects(changed, { code: 'beyond_own_scopes' })
      t.match(await users.find('ada'), { email: null, roles: ['user', 'admin'] })
    })

    t.test('No link goes to an address that is being replaced', async (t) => {
      const { users, oneTimeTokens, db } = await openRepositories(t, engine)
      const { id } = await users.create({ username: 'ada', email: 'old@example.com' }, {})

      const mail = await overtake(
        async (hold) => await db.transaction().execute(async (tx) => {
          await tx.updateTable('users').set({ email: 'new@example.com', email_key: 'new@example.com' }).where('id', '=', id).execute()
          await oneTimeTokens.revoke(tx, id)
          await hold()
        }),
        async () => await createDueMails(db, oneTimeTokens).prepare({ kind: 'password_reset', email: 'old@example.com' })
      )

      t.equal(mail, undefined)
      t.same(await db.selectFrom('one_time_tokens').selectAll().execute(), [])
    })
  })
}
