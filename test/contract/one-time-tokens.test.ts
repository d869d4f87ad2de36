import t, { type Test } from 'tap'
import type { TokenPurpose, TokenSubject } from '../../plugins/data/one-time-tokens.ts'
import { engines, type Engine } from './engines.ts'
import { HOUR, openRepositories } from './repositories.ts'

/** The repositories with a user, and what a test does with tokens, each in a transaction of its own. */
async function openTokens (t: Test, engine: Engine) {
  const repositories = await openRepositories(t, engine)
  const { db, oneTimeTokens } = repositories
  const { id: userId } = await repositories.ada()
  const subject: TokenSubject = { userId, email: 'Ada@example.com', passwordVersion: 3 }
  return {
    ...repositories,
    subject,
    issue: async (purpose: TokenPurpose = 'password_reset', whose = subject) => await db.transaction().execute(async (tx) => await oneTimeTokens.issue(tx, purpose, whose, HOUR)),
    take: async (token: string, purpose: TokenPurpose = 'password_reset') => await db.transaction().execute(async (tx) => await oneTimeTokens.take(tx, purpose, token)),
    find: async (token: string, purpose: TokenPurpose = 'password_reset') => await oneTimeTokens.find(db, purpose, token)
  }
}

for (const engine of engines) {
  t.test(engine.name, async (t) => {
    t.test('A token gives back what it is bound to, once', async (t) => {
      const { issue, take, find, subject } = await openTokens(t, engine)
      const token = await issue()

      t.match(token, /^[\w-]{43}$/)
      t.strictSame(await find(token), subject)
      t.strictSame(await find(token), subject, 'looking does not use it up')
      t.strictSame(await take(token), subject)
      t.equal(await take(token), undefined)
      t.equal(await find(token), undefined)
    })

    t.test('A token of a user without an address gives back that', async (t) => {
      const { issue, take, subject } = await openTokens(t, engine)

      const token = await issue('password_reset', { ...subject, email: null })

      t.strictSame(await take(token), { ...subject, email: null })
    })

    t.test('20 who use one token at once: one succeeds', async (t) => {
      const { issue, take, subject } = await openTokens(t, engine)
      const token = await issue()

      const taken = await Promise.all(Array.from({ length: 20 }, async () => await take(token)))

      t.strictSame(taken.filter((who) => who !== undefined), [subject])
    })

    t.test('A token is good until its time is over', async (t) => {
      const { issue, take, find, subject, clock } = await openTokens(t, engine)
      const token = await issue()

      clock.at += HOUR - 1
      t.strictSame(await find(token), subject)
      clock.at += 1
      t.equal(await find(token), undefined)
      t.equal(await take(token), undefined)
      clock.at -= 1
      t.strictSame(await take(token), subject)
    })

    t.test('A token is good for its purpose only, and an attempt at another does not use it up', async (t) => {
      const { issue, take, find, subject } = await openTokens(t, engine)
      const token = await issue('email_verification')

      t.equal(await find(token), undefined)
      t.equal(await take(token), undefined)
      t.strictSame(await take(token, 'email_verification'), subject)
    })

    t.test('A token makes the earlier one of its user and purpose void, and no other', async (t) => {
      const { issue, take, users, subject } = await openTokens(t, engine)
      const ben = { ...subject, userId: (await users.create({ username: 'ben' }, {})).id }
      const tokens = { earlier: await issue(), other: await issue('email_verification'), bens: await issue('password_reset', ben) }

      const later = await issue()

      t.equal(await take(tokens.earlier), undefined)
      t.strictSame(await take(later), subject)
      t.strictSame(await take(tokens.other, 'email_verification'), subject)
      t.strictSame(await take(tokens.bens), ben)
    })

    t.test('All tokens of a user are revoked together, and no other', async (t) => {
      const { issue, take, users, subject, db, oneTimeTokens } = await openTokens(t, engine)
      const ben = { ...subject, userId: (await users.create({ username: 'ben' }, {})).id }
      const tokens = { reset: await issue(), verification: await issue('email_verification'), bens: await issue('password_reset', ben) }

      await oneTimeTokens.revoke(db, subject.userId)

      t.equal(await take(tokens.reset), undefined)
      t.equal(await take(tokens.verification, 'email_verification'), undefined)
      t.strictSame(await take(tokens.bens), ben)
    })

    t.test('Tokens go with their user', async (t) => {
      const { issue, take, db, accounts, subject } = await openTokens(t, engine)
      const token = await issue()

      await accounts.remove(subject.userId, {})

      t.equal(await take(token), undefined)
      t.same(await db.selectFrom('one_time_tokens').selectAll().execute(), [])
    })

    t.test('A stolen database gives no token away', async (t) => {
      const { issue, take, db } = await openTokens(t, engine)
      const token = await issue()

      const rows = await db.selectFrom('one_time_tokens').selectAll().execute()

      t.notMatch(JSON.stringify(rows), token)
      t.equal(await take(rows[0]?.hash ?? ''), undefined)
    })

    t.test('A use is undone with the act that it was for', async (t) => {
      const { issue, find, db, oneTimeTokens, subject } = await openTokens(t, engine)
      const token = await issue()

      await t.rejects(db.transaction().execute(async (tx) => {
        await oneTimeTokens.take(tx, 'password_reset', token)
        throw new Error('changed my mind')
      }))

      t.strictSame(await find(token), subject)
    })

    for (const text of ['', 'x', 'x'.repeat(43), '%', "' or 1=1 --", 'x'.repeat(10_000)]) {
      t.test(`Nothing comes of ${JSON.stringify(text.slice(0, 50))}`, async (t) => {
        const { issue, take } = await openTokens(t, engine)
        await issue()

        t.equal(await take(text), undefined)
      })
    }
  })
}
