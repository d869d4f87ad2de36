import t from 'tap'
import { auditEvents, build, stopClock } from '../../helper.ts'
import { failFrom, SECOND, tryFrom } from '../../throttles.ts'
import { audited, enter, isProblem, PASSWORD, send } from '../users-me/requests.ts'

// Where requests without a proxy come from.
const HERE = '127.0.0.1'

const acts = [
  { method: 'PATCH', url: '/users/me', body: { email: 'mallory@example.com' } },
  { method: 'PUT', url: '/users/me/password', body: { new_password: 'the password of Mallory' } },
  { method: 'DELETE', url: '/users/me', body: {} }
] as const

for (const { method, url, body } of acts) {
  t.test(`wrong passwords at ${method} ${url} are counted like failed log-ins`, async (t) => {
    const app = await build(t)
    const clock = stopClock(app)
    const { id, access_token: token } = await enter(app)
    const attempt = async (password: string) => await send(app, token, method, url, { ...body, current_password: password })
    for (let count = 0; count < 5; count++) isProblem(t, await attempt('wrong'), 403, 'wrong_password')
    const hashes = t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)

    const refused = [await attempt('wrong'), await attempt(PASSWORD)]

    for (const response of refused) {
      isProblem(t, response, 429, 'slow_down', 'Too many attempts; try again later')
      t.equal(response.headers['retry-after'], '1')
    }
    t.equal(hashes().length, 0)
    t.equal((await audited(app, 'user_password_changed')).length, 5)
    t.match(await auditEvents(app, 'login_throttled'), [{ user_id: id, actor_id: id, details: '{"rule":"account_network"}' }])
    t.equal((await tryFrom(app, HERE, PASSWORD)).statusCode, 429, 'a log-in is held up by them')
    clock.advance(SECOND)
    t.equal((await attempt(PASSWORD)).statusCode < 300, true)
  })
}

t.test('failed log-ins hold up whoever is asked for the password again, and to the user that may show', async (t) => {
  const app = await build(t)
  stopClock(app)
  const { access_token: token } = await enter(app)
  await failFrom(app, HERE, 5, 'ada@example.com')

  isProblem(t, await send(app, token, 'DELETE', '/users/me', { current_password: PASSWORD }), 429, 'slow_down')
})

t.test('the right password makes the failures from there forgotten, and without failures writes nothing more', async (t) => {
  const app = await build(t)
  stopClock(app)
  const { access_token: token } = await enter(app)
  const change = async (password: string) => await send(app, token, 'PATCH', '/users/me', { email: 'new@example.com', current_password: password })
  for (let count = 0; count < 4; count++) await change('wrong')

  t.equal((await change(PASSWORD)).statusCode, 200)
  t.strictSame(await app.db.selectFrom('throttles').select('rule').where('rule', 'in', ['account', 'account_network']).execute(), [])
  const removed = t.capture(app.throttles, 'remove', app.throttles.remove)
  t.equal((await change(PASSWORD)).statusCode, 200)

  t.equal(removed().length, 0)
})

t.test('a thief of a token gets no more guesses by doing several things at once', async (t) => {
  const app = await build(t, { HASH_QUEUE_MS: '60000' })
  stopClock(app)
  const { access_token: token } = await enter(app)
  await failFrom(app, HERE, 4)

  const responses = await Promise.all(acts.flatMap(({ method, url, body }) => Array.from({ length: 10 }, async () => await send(app, token, method, url, { ...body, current_password: 'wrong' }))))

  t.equal(responses.filter(({ statusCode }) => statusCode === 403).length, 1)
  t.equal(responses.filter(({ statusCode }) => statusCode === 429).length, 29)
})
