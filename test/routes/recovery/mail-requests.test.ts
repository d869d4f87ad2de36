import t from 'tap'
import { auditEvents, build } from '../../helper.ts'
import { addUser, bytesOf, requestReset, requestVerification, sendJson } from '../../mailed-links.ts'
import { isProblem, mails } from '../users-me/requests.ts'

const NOBODY = 'nobody@example.com'

const requests = [
  { name: 'a reset', url: '/password-reset', ask: requestReset, kind: 'password_reset', type: 'password_reset_requested' },
  { name: 'a verification', url: '/email-verification', ask: requestVerification, kind: 'email_verification', type: 'email_verification_requested' }
] as const

for (const { name, url, ask, kind, type } of requests) {
  t.test(`asking for ${name} has one answer and one trace whoever has the address`, async (t) => {
    const app = await build(t)
    const known = await addUser(app)
    const disabled = await addUser(app, 'dora')
    await app.accounts.update(disabled.id, { disabled: true }, {})
    const addresses = [known.email, NOBODY, disabled.email, 'johndoe@example.com', known.email.toUpperCase()]

    const responses = []
    for (const email of addresses) responses.push(await ask(app, email))

    t.equal(responses[0]?.statusCode, 202)
    t.equal(responses[0]?.body, '{}')
    for (const response of responses) t.strictSame(bytesOf(response), bytesOf(responses[0] as typeof response))
    t.strictSame(await mails(app), addresses.map((email) => ({ kind, email: email.replace('EXAMPLE.COM', 'example.com') })))
    const events = await auditEvents(app, type)
    t.match(events, Array(addresses.length).fill({ outcome: 'success', user_id: null, actor_id: null, client_id: null, details: null, ip: '127.0.0.1' }))
    t.equal(events.length, addresses.length)
  })

  t.test(`asking for ${name} has the same answer while the mail server is down`, async (t) => {
    const up = await build(t)
    const down = await build(t, { SMTP_URL: 'smtp://127.0.0.1:9' })
    await addUser(down)

    const response = await ask(down, 'ada@example.com')
    await down.outboxWorker.run()

    t.strictSame(bytesOf(response), bytesOf(await ask(up, NOBODY)))
    t.strictSame(bytesOf(await ask(down, 'ada@example.com')), bytesOf(response))
  })

  t.test(`asking for ${name} takes one address and nothing else`, async (t) => {
    const app = await build(t)
    const bad = [
      '', 'ada', '@', 'ada@', '@example.com', 'ada@example', 'ada\uFF20example.com', 'a@b@example.com', '"ada"@example.com', 'ada@[127.0.0.1]', 'ada@127.0.0.1',
      'ada(comment)@example.com', 'ada@example.com\u0000', '\u0000ada@example.com', 'a@b.co\r\nBcc: x@y.example', 'a@b.co,x@y.example', 'a@b.co x@y.example', ' ada@example.com', 'Ada <ada@example.com>',
      `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(20)}`, 'a'.repeat(10_000)
    ]

    for (const email of bad) isProblem(t, await ask(app, email), 400, 'validation_failed')
    for (const body of [{}, { email: null }, { email: [] }, { email: ['ada@example.com'] }, { email: 'ada@example.com', token: 'x' }, { email: 'ada@example.com', username: 'ada' }]) {
      isProblem(t, await sendJson(app, 'POST', url, body), 400, 'validation_failed')
    }
    for (const body of ['', 'null', '[]', '1', '{"email":']) t.equal((await sendJson(app, 'POST', url, body)).statusCode, 400)

    t.strictSame(await mails(app), [])
    t.strictSame(await auditEvents(app, type), [])
  })

  t.test(`asking for ${name} does not happen if it can not be audited`, async (t) => {
    const app = await build(t)
    t.intercept(app.audit, 'record', { value: async () => { throw new Error('disk full') } })

    const response = await ask(app, 'ada@example.com')

    t.equal(response.statusCode, 500)
    t.strictSame(await mails(app), [])
  })
}
