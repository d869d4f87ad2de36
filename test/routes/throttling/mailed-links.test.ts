import t from 'tap'
import { auditEvents, build, stopClock } from '../../helper.ts'
import { addUser, mailToken, reset, sendJson, verify } from '../../mailed-links.ts'
import { BEHIND_PROXY, isSlowDown, SECOND, tryFrom } from '../../throttles.ts'
import { isProblem } from '../users-me/requests.ts'

const HERE = '127.0.0.1'

const uses = [
  { name: 'a new password', url: '/password-reset', use: reset, purpose: 'password_reset' },
  { name: 'the proof of an address', url: '/email-verification', use: verify, purpose: 'email_verification' }
] as const

for (const { name, url, use, purpose } of uses) {
  t.test(`after a hundred bad links for ${name} within a minute the network has to wait`, async (t) => {
    const app = await build(t, BEHIND_PROXY)
    const clock = stopClock(app)
    await addUser(app)
    const token = await mailToken(app, purpose)
    for (let count = 0; count < 100; count++) isProblem(t, await use(app, `made-up-${count}`), 400, 'invalid_token')

    const response = await use(app, token)

    isProblem(t, response, 429, 'slow_down')
    t.equal(response.headers['retry-after'], '60')
    isSlowDown(t, await tryFrom(app, HERE, 'wrong', 'eve'), 60)
    const refusals = await auditEvents(app, 'mailed_link_refused')
    t.equal(refusals.length, 100)
    t.match(refusals[0], { outcome: 'failure', user_id: null, ip: HERE, user_agent: 'lightMyRequest', details: null })
    t.match(await auditEvents(app, 'login_throttled'), [{ user_id: null, ip: HERE, details: '{"rule":"network"}' }])
    const elsewhere = await sendJson(app, 'PUT', url, { token: 'made-up', new_password: 'staple of another kind' }, { 'x-forwarded-for': '203.0.113.9' })
    t.not(elsewhere.statusCode, 429)
    clock.advance(60 * SECOND)
    t.equal((await use(app, token)).statusCode, 204)
  })
}

t.test('failed log-ins hold up links, and a link that works or a weak password is no failure', async (t) => {
  const app = await build(t)
  stopClock(app)
  await addUser(app)
  const token = await mailToken(app, 'password_reset')

  isProblem(t, await reset(app, token, 'short'), 400, 'weak_password')
  t.strictSame(await app.db.selectFrom('throttles').selectAll().execute(), [])
  for (let index = 0; index < 100; index++) await tryFrom(app, HERE, 'wrong', `user${index}`)
  isProblem(t, await reset(app, token), 429, 'slow_down')
})
