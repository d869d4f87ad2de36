import t, { type Test } from 'tap'
import { build, stopClock, type Env } from '../../helper.ts'
import { addUser, bytesOf, requestReset, sendJson } from '../../mailed-links.ts'
import { addresses, BEHIND_PROXY, HOUR, MINUTE, PASSWORD } from '../../throttles.ts'
import { enterAs } from '../people.ts'
import { enter, isProblem, mails, send } from '../users-me/requests.ts'

const OPEN = { REGISTRATION: 'open', HASH_QUEUE_MS: '60000' }

async function start (t: Test, env: Env = {}) {
  const app = await build(t, { ...BEHIND_PROXY, ...env })
  return { app, clock: stopClock(app) }
}

const kinds = async (app: Awaited<ReturnType<typeof build>>): Promise<string[]> => (await mails(app)).map((mail) => (mail as { kind: string }).kind)

for (const { url, most } of [{ url: '/password-reset', most: 3 }, { url: '/email-verification', most: 2 }]) {
  const ask = async (app: Parameters<typeof sendJson>[0], email: string, ip: string) => await sendJson(app, 'POST', url, { email }, { 'x-forwarded-for': ip })

  t.test(`a hundred requests at POST ${url} for one victim owe ${most} mails in an hour, and all look alike`, async (t) => {
    const { app, clock } = await start(t)
    await addUser(app)
    const ips = addresses(50)

    const known = await Promise.all(ips.map(async (ip) => await ask(app, 'ada@example.com', ip)))
    const unknown = await Promise.all(ips.map(async (ip) => await ask(app, 'nobody@example.com', ip)))
    const reference = known[0] as typeof known[0] & object

    t.equal(reference.statusCode, 202)
    for (const response of [...known, ...unknown]) t.strictSame(bytesOf(response), bytesOf(reference))
    t.equal((await mails(app)).length, 2 * most)
    clock.advance(HOUR)
    await ask(app, 'ADA@example.com', '203.0.113.1')
    t.equal((await mails(app)).length, 2 * most + 1)
  })

  t.test(`a network that asks ten times at POST ${url} has to wait, whomever it asks for`, async (t) => {
    const { app, clock } = await start(t)
    await addUser(app)
    for (let index = 0; index < 10; index++) t.equal((await ask(app, `user${index}@example.com`, '203.0.113.1')).statusCode, 202)
    clock.advance(10 * MINUTE)

    const transactions = t.capture(app.db, 'transaction', app.db.transaction)

    for (const email of ['ada@example.com', 'nobody@example.com']) {
      const response = await ask(app, email, '203.0.113.1')
      isProblem(t, response, 429, 'slow_down')
      t.equal(response.headers['retry-after'], String(50 * 60))
    }
    t.equal(transactions().length, 0, 'others need not wait for what is refused')
    t.equal((await ask(app, 'ada@example.com', '203.0.113.2')).statusCode, 202)
    t.equal((await mails(app)).length, 11)
  })
}

t.test('a sign-up with an address that has had its share makes the account, owes no mail and looks like any other', async (t) => {
  const { app } = await start(t, OPEN)
  for (let count = 0; count < 3; count++) await requestReset(app, 'ada@example.com')

  const response = await sendJson(app, 'POST', '/signup', { username: 'ada', email: 'ada@example.com', password: PASSWORD })
  const reference = await sendJson(app, 'POST', '/signup', { username: 'ben', email: 'ben@example.com', password: PASSWORD })

  t.equal(response.statusCode, 202)
  t.strictSame(bytesOf(response), bytesOf(reference))
  t.ok(await app.users.find('ada'))
  t.strictSame(await kinds(app), ['password_reset', 'password_reset', 'password_reset', 'email_verification'])
})

t.test('sign-ups of a network that has asked for ten mails are refused before any hash, and fifty at a time make ten accounts', async (t) => {
  const { app } = await start(t, OPEN)
  const signUp = async (index: number) => await sendJson(app, 'POST', '/signup', { username: `user${index}`, email: `user${index}@example.com`, password: PASSWORD })

  const responses = await Promise.all(Array.from({ length: 50 }, async (_, index) => await signUp(index)))
  const hashes = t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash)
  const refused = await signUp(50)

  t.equal(responses.filter(({ statusCode }) => statusCode === 202).length, 10)
  isProblem(t, refused, 429, 'slow_down')
  t.equal(refused.headers['retry-after'], '3600')
  t.equal(hashes().length, 0)
  t.equal((await app.users.list()).filter(({ username }) => username !== 'johndoe').length, 10)
  t.equal((await mails(app)).length, 10)
})

t.test('sign-ups under names that are taken are counted like all others', async (t) => {
  const { app } = await start(t, OPEN)
  const signUp = async (index: number) => await sendJson(app, 'POST', '/signup', { username: 'johndoe', email: `user${index}@example.com`, password: PASSWORD })

  const taken = await Promise.all(Array.from({ length: 10 }, async (_, index) => await signUp(index)))
  const refused = await signUp(10)

  t.strictSame(taken.map(({ statusCode }) => statusCode), Array(10).fill(409))
  isProblem(t, refused, 429, 'slow_down')
})

t.test('a user is told that an address has had its share, and notices are never limited', async (t) => {
  const { app } = await start(t)
  const { access_token: token } = await enter(app)
  const change = async (email: string) => await send(app, token, 'PATCH', '/users/me', { email, current_password: PASSWORD })
  for (let count = 0; count < 2; count++) t.equal((await change('new@example.com')).statusCode, 200)

  const refused = await change('New@example.com')

  isProblem(t, refused, 429, 'slow_down')
  t.equal(refused.headers['retry-after'], '3600')
  t.equal((await kinds(app)).filter((kind) => kind === 'email_change').length, 2)
  for (let index = 0; index < 8; index++) t.equal((await change(`other${index}@example.com`)).statusCode, 200)
  t.equal((await kinds(app)).filter((kind) => kind === 'email_change_requested').length, 10, 'the old address was told each time')
  isProblem(t, await change('eleventh@example.com'), 429, 'slow_down')
})

t.test('an administrator is told that an address has had its share', async (t) => {
  const { app, clock } = await start(t)
  const { id } = await enter(app)
  const admin = await enterAs(app, 'root', 'admin')
  for (let count = 0; count < 3; count++) t.equal((await admin.send('POST', `/users/${id}/password-reset`)).statusCode, 202)
  t.equal((await admin.send('DELETE', `/users/${id}`)).statusCode, 204)

  const refused = await admin.send('POST', '/users', { username: 'eve', email: 'Ada@example.com' })

  isProblem(t, refused, 429, 'slow_down')
  t.equal(await app.users.find('eve'), undefined)
  t.equal((await mails(app)).length, 3)
  clock.advance(HOUR)
  const again = await enterAs(app, 'root2', 'admin')
  t.equal((await again.send('POST', '/users', { username: 'eve', email: 'Ada@example.com' })).statusCode, 201)
})

t.test('an administrator invites somebody although strangers have asked for mails to the address', async (t) => {
  const { app } = await start(t)
  const admin = await enterAs(app, 'root', 'admin')
  for (let count = 0; count < 3; count++) await requestReset(app, 'eve@example.com')

  t.equal((await admin.send('POST', '/users', { username: 'eve', email: 'eve@example.com' })).statusCode, 201)
})
