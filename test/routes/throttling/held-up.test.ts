import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { auditEvents, createUser, isOAuthError } from '../../helper.ts'
import { addresses, buildWithAda, countBegun, failFrom, isSlowDown, PASSWORD, SECOND, tryFrom } from '../../throttles.ts'

const HERE = '203.0.113.9'
const ADDRESS = 'ada@example.com'

t.test('guesses by the name and by the address of a user are counted together, and that shows nowhere', async (t) => {
  const { app, clock } = await buildWithAda(t)
  await createUser(app, { username: 'ben', password: PASSWORD, email: 'ben@example.com' })
  await failFrom(app, HERE, 5)
  const reference = await tryFrom(app, HERE, 'wrong', 'ben@example.com')
  const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

  const response = await tryFrom(app, HERE, PASSWORD, ADDRESS)

  isOAuthError(t, response, 400, 'invalid_grant')
  t.equal(response.body, reference.body)
  t.strictSame({ ...response.headers, date: '' }, { ...reference.headers, date: '' })
  t.equal(hashes().length, 1, 'after the same work')
  const event = (await auditEvents(app, 'login')).at(-1)
  t.match(event, { outcome: 'failure', details: '{"error":"invalid_grant","held_up_by":"account_network"}' })
  clock.advance(SECOND)
  t.equal((await tryFrom(app, HERE, PASSWORD, ADDRESS)).statusCode, 200)
})

t.test('whoever tries an address after failing with a name sees the same whether they are one user\'s or not', async (t) => {
  const { app, clock } = await buildWithAda(t)
  await createUser(app, { username: 'ben', password: PASSWORD, email: 'ben@example.com' })
  const seen: Record<string, string[]> = { [ADDRESS]: [], 'ben@example.com': [], 'nobody@example.com': [] }

  for (const [username, answers] of Object.entries(seen)) {
    const ip = username === ADDRESS ? '203.0.113.1' : username === 'ben@example.com' ? '203.0.113.2' : '203.0.113.3'
    await failFrom(app, ip, 7)
    for (let count = 0; count < 20; count++) {
      const { statusCode, headers, body } = await tryFrom(app, ip, 'wrong', username)
      answers.push(`${statusCode} ${String(headers['retry-after'])} ${body}`)
      clock.advance(SECOND)
    }
  }

  t.strictSame(seen[ADDRESS], seen['ben@example.com'])
  t.strictSame(seen[ADDRESS], seen['nobody@example.com'])
})

t.test('whoever is held up without a word makes no guess, and prolongs no wait', async (t) => {
  const { app, clock } = await buildWithAda(t)
  for (const ip of addresses(20)) await tryFrom(app, ip)
  clock.advance(44 * SECOND)
  for (const ip of addresses(15)) isOAuthError(t, await tryFrom(app, ip, PASSWORD, ADDRESS), 400, 'invalid_grant')

  clock.advance(SECOND)

  t.equal((await tryFrom(app, HERE, PASSWORD, ADDRESS)).statusCode, 200)
})

t.test('whoever is held up without a word is refused like everybody when the typed name is full', async (t) => {
  const { app } = await buildWithAda(t)
  await failFrom(app, HERE, 5)

  t.strictSame(await failFrom(app, HERE, 5, ADDRESS), [400, 400, 400, 400, 400])

  isSlowDown(t, await tryFrom(app, HERE, PASSWORD, ADDRESS), 1)
})

t.test('whoever is held up without a word takes nobody\'s place', async (t) => {
  // A hash must take long enough that both run at a time.
  const { app, clock } = await buildWithAda(t, { HASH_CONCURRENCY: '2', ARGON2_MEMORY_KIB: '65536' })
  await failFrom(app, HERE, 5)
  const begun = countBegun(t, app)
  const heldUp = tryFrom(app, HERE, PASSWORD, ADDRESS)
  while (begun() < 1) await setImmediate()

  clock.advance(SECOND)
  const byName = await tryFrom(app, HERE, PASSWORD)

  t.equal(byName.statusCode, 200)
  isOAuthError(t, await heldUp, 400, 'invalid_grant')
})

t.test('the wait that begins while a log-in waits long for its hash holds it up too', async (t) => {
  const { app, clock } = await buildWithAda(t)
  await failFrom(app, HERE, 4)
  const { verify } = app.passwordHasher
  t.intercept(app.passwordHasher, 'verify', {
    value: async (...args: Parameters<typeof verify>) => {
      // What others do meanwhile, at the same user by the name.
      await app.db.updateTable('throttles').set({ failures: 5 }).where('rule', '=', 'account_network').execute()
      clock.advance(250)
      return await verify(...args)
    }
  })

  const byAddress = await tryFrom(app, HERE, PASSWORD, ADDRESS)
  const byName = await tryFrom(app, HERE, PASSWORD)

  isOAuthError(t, byAddress, 400, 'invalid_grant')
  isSlowDown(t, byName, 1)
})
