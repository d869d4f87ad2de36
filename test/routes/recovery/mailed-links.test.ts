import t, { type Test } from 'tap'
import { build, logIn, postForm, PUBLIC_URL, sendRaw, type Env } from '../../helper.ts'
import { startMailServer, tokenIn, type MailServer } from '../../mail-server.ts'
import { addUser, bytesOf, INVALID_LINK, NEW_PASSWORD, PASSWORD, requestReset, requestVerification, reset, sendJson, verify } from '../../mailed-links.ts'
import { goodFor, isProblem } from '../users-me/requests.ts'

async function buildWithMail (t: Test, env: Env = {}) {
  const mailServer: MailServer = await startMailServer(t)
  const app = await build(t, { SMTP_URL: mailServer.url, REGISTRATION: 'open', ...env })
  /** Sends what is owed and gives the mails. */
  const collect = async () => {
    const before = mailServer.received.length
    await app.outboxWorker.run()
    return mailServer.received.slice(before)
  }
  return { app, collect }
}

t.test('from the sign-up to a new password, all that is needed is in the mails', async (t) => {
  const { app, collect } = await buildWithMail(t)

  await sendJson(app, 'POST', '/signup', { username: 'ada', email: 'ada@example.com', password: PASSWORD })
  const [welcome, ...more] = await collect()
  t.equal((await verify(app, tokenIn(welcome ?? {}))).statusCode, 204)
  const [confirmed, ...rest] = await collect()
  await requestReset(app, 'ADA@example.com')
  const [link, ...others] = await collect()
  t.equal((await reset(app, tokenIn(link ?? {}))).statusCode, 204)
  const notices = await collect()

  t.match([welcome, confirmed, link].map((mail) => mail?.recipients), Array(3).fill(['ada@example.com']))
  t.strictSame([more, rest, others, notices.length], [[], [], [], 1])
  t.equal((await postForm(app, '/token', { grant_type: 'password', username: 'ada', password: NEW_PASSWORD })).statusCode, 200)
})

t.test('who has confirmed what a stranger signed up takes it over with the link of the mail that follows', async (t) => {
  const { app, collect } = await buildWithMail(t)
  const email = 'victim@example.com'
  await sendJson(app, 'POST', '/signup', { username: 'squatter', email, password: PASSWORD })
  const stranger = { grant_type: 'password', username: 'squatter', password: PASSWORD }
  const before = await logIn(app, stranger)
  const [welcome] = await collect()

  await verify(app, tokenIn(welcome ?? {}))
  const goodAfterProof = await goodFor(app, before)
  const again = await logIn(app, stranger)
  const [notice, ...others] = await collect()
  t.equal((await reset(app, tokenIn(notice ?? {}))).statusCode, 204)

  t.strictSame(goodAfterProof, [])
  t.match(notice, { recipients: [email], subject: 'Your e-mail address is confirmed', text: /"squatter"[^]*If you did not make the account/ })
  t.strictSame(others, [])
  t.strictSame(await goodFor(app, again), [])
  t.equal((await postForm(app, '/token', stranger)).json().error, 'invalid_grant')
  t.equal((await postForm(app, '/token', { ...stranger, username: email, password: NEW_PASSWORD })).statusCode, 200)
})

t.test('an invitation is good after strangers have asked for a new password, and after that no link is', async (t) => {
  const { app, collect } = await buildWithMail(t)
  const user = await app.userAdministration.invite({ username: 'ada', email: 'ada@example.com' }, {}, async () => {})
  const [invitation] = await collect()
  await requestReset(app, 'ada@example.com')
  await requestVerification(app, 'ada@example.com')
  const [link] = await collect()

  t.equal((await reset(app, tokenIn(invitation ?? {}))).statusCode, 204)

  t.strictSame((await reset(app, tokenIn(link ?? {}))).json(), INVALID_LINK)
  t.strictSame((await reset(app, tokenIn(invitation ?? {}))).json(), INVALID_LINK)
  t.match(await app.users.find('ada'), { id: user.id, emailVerifiedAt: Number })
  t.equal((await postForm(app, '/token', { grant_type: 'password', username: 'ada', password: NEW_PASSWORD })).statusCode, 200)
})

t.test('a new link makes the one before void', async (t) => {
  const { app, collect } = await buildWithMail(t)
  await addUser(app)

  for (const { ask, use } of [{ ask: requestReset, use: reset }, { ask: requestVerification, use: verify }]) {
    await app.users.create({ username: `user-${use.name}`, email: `${use.name}@example.com` }, {})
    await collect()
    await ask(app, `${use.name}@example.com`)
    await ask(app, `${use.name}@example.com`)
    const [first, second] = await collect()

    t.strictSame((await use(app, tokenIn(first ?? {}))).json(), INVALID_LINK)
    t.equal((await use(app, tokenIn(second ?? {}))).statusCode, 204)
  }
})

t.test('an address that has a user is told by mail, and only there', async (t) => {
  const { app, collect } = await buildWithMail(t)
  const { email } = await addUser(app)

  const taken = await sendJson(app, 'POST', '/signup', { username: 'ben', email: 'ADA@example.com', password: PASSWORD })
  const [mail, ...more] = await collect()

  t.equal(taken.statusCode, 202)
  t.match(mail, { recipients: [email], subject: /account already/ })
  t.notMatch(mail?.text, '#token=')
  t.strictSame(more, [])
})

t.test('a verified or unknown address gets no link to verify it, an unknown or disabled user none to reset', async (t) => {
  const { app, collect } = await buildWithMail(t)
  const { id, email } = await addUser(app)
  await app.accounts.update(id, { disabled: true }, {})

  const answers = []
  for (const address of ['johndoe@example.com', 'nobody@example.com']) answers.push(await requestVerification(app, address))
  for (const address of [email, 'nobody@example.com']) answers.push(await requestReset(app, address))

  t.strictSame(await collect(), [])
  for (const answer of answers) t.strictSame(bytesOf(answer), bytesOf(answers[0] as typeof answer))
})

const HOSTILE = {
  host: 'evil.example',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'javascript',
  'x-forwarded-port': '1',
  'x-forwarded-prefix': '/evil.example',
  'x-forwarded-for': 'evil.example',
  'x-original-url': 'https://evil.example/',
  'x-host': 'evil.example',
  forwarded: 'for=evil.example;host=evil.example;proto=https',
  origin: 'https://evil.example',
  referer: 'https://evil.example/'
}

for (const TRUST_PROXY of ['none', '127.0.0.0/8']) {
  t.test(`the link is made from the settings alone, whatever the request says of itself (TRUST_PROXY=${TRUST_PROXY})`, async (t) => {
    const { app, collect } = await buildWithMail(t, { TRUST_PROXY })
    await addUser(app)

    await sendJson(app, 'POST', '/password-reset', { email: 'ada@example.com' }, HOSTILE)
    await sendJson(app, 'POST', '/email-verification', { email: 'ada@example.com' }, HOSTILE)
    await sendJson(app, 'POST', '/signup', { username: 'ben', email: 'ben@example.com', password: PASSWORD }, HOSTILE)
    const mails = await collect()

    t.equal(mails.length, 3)
    for (const { text = '', html = '' } of mails) {
      t.match(text, new RegExp(`^${PUBLIC_URL}/(?:password-reset|email-verification)#token=[\\w-]{43}$`, 'm'))
      t.notMatch(text + html, /evil|javascript/)
    }
  })
}

t.test('an absolute request line does not reach the link either', async (t) => {
  const { app, collect } = await buildWithMail(t)
  await addUser(app)
  const body = JSON.stringify({ email: 'ada@example.com' })

  await sendRaw(app, `POST http://evil.example/password-reset HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)

  for (const { text = '', html = '' } of await collect()) t.notMatch(text + html, /evil/)
})

t.test('a line break in an address adds nobody to the mail', async (t) => {
  const { app, collect } = await buildWithMail(t)

  for (const email of ['a@b.co\r\nBcc: x@y.example', 'a@b.co\nCc: x@y.example', 'a@b.co, x@y.example']) {
    isProblem(t, await sendJson(app, 'POST', '/signup', { username: 'ada', email, password: PASSWORD }), 400, 'validation_failed')
    isProblem(t, await requestReset(app, email), 400, 'validation_failed')
  }

  t.strictSame(await collect(), [])
})
