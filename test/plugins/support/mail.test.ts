import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { pino, type Logger } from 'pino'
import t, { type Test } from 'tap'
import type { Mail } from '../../../lib/due-mail.ts'
import config from '../../../plugins/support/config.ts'
import mail from '../../../plugins/support/mail.ts'
import { PRODUCTION } from '../../command.ts'
import { captureLog, testConfig, type Env } from '../../helper.ts'
import { startMailServer } from '../../mail-server.ts'

const MAIL: Mail = {
  kind: 'password_reset',
  to: 'Ada.L+tag@example.com',
  subject: 'Choose a new password',
  text: 'Hello ren\u00e9e,\n\nhttps://id.example.com/password-reset#token=SECRET\n',
  html: '<p>Hello ren\u00e9e,</p>'
}

async function startMail (t: Test, env: Env, logger: Logger = pino({ level: 'silent' }), plugin = mail): Promise<FastifyInstance> {
  const fastify = Fastify({ loggerInstance: logger as FastifyBaseLogger })
  t.teardown(async () => { await fastify.close() })
  await fastify.register(config, { app: { config: testConfig(t, env) } })
  await fastify.register(plugin)
  return fastify
}

t.test('a mail goes to the mail server as it is', async (t) => {
  const server = await startMailServer(t)
  const fastify = await startMail(t, { SMTP_URL: server.url, MAIL_FROM: 'Example <login@example.com>' })

  await fastify.mail.send(MAIL)

  t.match(server.received, [{
    recipients: ['Ada.L+tag@example.com'],
    from: { name: 'Example', address: 'login@example.com' },
    to: [{ name: '', address: 'Ada.L+tag@example.com' }],
    subject: 'Choose a new password',
    text: MAIL.text,
    html: `${MAIL.html}\n`
  }])
  t.equal(server.received[0]?.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-generated')
})

t.test('the mail server gets the credentials of the URL', async (t) => {
  const logins: unknown[] = []
  const server = await startMailServer(t, {
    options: {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth ({ username, password }, _session, answer) {
        logins.push({ username, password })
        answer(null, { user: username })
      }
    }
  })
  const fastify = await startMail(t, { SMTP_URL: server.url.replace('//', '//login%40example.com:p%40ss%2Fword@') })

  await fastify.mail.send(MAIL)

  t.strictSame(logins, [{ username: 'login@example.com', password: 'p@ss/word' }])
  t.equal(server.received.length, 1)
})

const injections: Array<{ name: string, change: Partial<Mail> }> = [
  { name: 'a line in the address', change: { to: 'ada@example.com\r\nBcc: eve@example.com' } },
  { name: 'a second address', change: { to: 'ada@example.com, eve@example.com' } },
  { name: 'a command in the address', change: { to: 'ada@example.com>\r\nRCPT TO:<eve@example.com' } },
  { name: 'a line in the subject', change: { subject: 'Hello\r\nBcc: eve@example.com\r\n\r\nbody' } },
  { name: 'the end of the mail in the text', change: { text: 'Hello\r\n.\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<eve@example.com>\r\n' } },
  { name: 'a file and a URL as the text', change: { text: { path: '/etc/hostname' } as never, html: { href: 'http://127.0.0.1:1/' } as never } }
]

for (const { name, change } of injections) {
  t.test(`${name} makes no mail for another and no other header`, async (t) => {
    const server = await startMailServer(t)
    const fastify = await startMail(t, { SMTP_URL: server.url })
    await fastify.mail.send(MAIL)

    await fastify.mail.send({ ...MAIL, ...change }).catch(() => {})

    const [usual, ...others] = server.received
    for (const mail of others) {
      t.equal(mail.recipients.length, 1)
      t.notOk(mail.recipients.includes('eve@example.com'))
      t.strictSame(mail.headers.map(({ key }) => key), usual?.headers.map(({ key }) => key))
    }
    t.ok(others.length <= 1)
  })
}

t.test('a mail that the server refuses is an error for the caller', async (t) => {
  const server = await startMailServer(t, { options: { onRcptTo: (_address, _session, answer) => { answer(Object.assign(new Error('no such user'), { responseCode: 550 })) } } })
  const fastify = await startMail(t, { SMTP_URL: server.url })

  await t.rejects(fastify.mail.send(MAIL), { code: 'EENVELOPE', responseCode: 550 })
  t.strictSame(server.received, [])
})

t.test('in production no credentials are sent in clear to another machine, unless the URL says so', async (t) => {
  const logins: unknown[] = []
  const server = await startMailServer(t, {
    options: {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth ({ username }, _session, answer) {
        logins.push(username)
        answer(null, { user: username })
      }
    }
  })
  const url = server.url.replace('127.0.0.1', 'login:password@0.0.0.0')

  const secure = await startMail(t, { ...PRODUCTION, SMTP_URL: url })
  await t.rejects(secure.mail.send(MAIL), { code: 'ETLS' })
  t.strictSame([logins, server.received], [[], []])
  const clear = await startMail(t, { ...PRODUCTION, SMTP_URL: `${url}?requireTLS=false` })
  await clear.mail.send(MAIL)

  t.strictSame([logins, server.received.length], [['login'], 1])
})

t.test('a mail server that never comes to the point does not hold up a stop', async (t) => {
  const { promise: greeted, resolve: greet } = Promise.withResolvers<void>()
  const drip = createServer((socket) => {
    socket.on('error', () => {}).write('220 mail\r\n')
    socket.once('data', () => {
      socket.write('250-mail\r\n')
      greet()
    })
  })
  drip.listen(0, '127.0.0.1')
  await once(drip, 'listening')
  t.teardown(() => { drip.close() })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const fastify = await startMail(t, { SMTP_URL: `smtp://127.0.0.1:${(drip.address() as AddressInfo).port}` })
  fastify.addHook('onClose', async () => { await sending })
  const sending = t.rejects(fastify.mail.send(MAIL), { code: 'EABORT' })
  await greeted

  let isClosed = false
  const close = fastify.close().then(() => { isClosed = true })
  for (let round = 0; round < 20; round++) await setImmediate()
  mock.timers.tick(7999)
  for (let round = 0; round < 20; round++) await setImmediate()
  t.equal(isClosed, false)
  mock.timers.tick(1)
  await close

  t.equal(isClosed, true)
})

t.test('no step of sending lasts longer than a stop may take, and all together less than the lease', async (t) => {
  const transports: Array<Record<string, unknown>> = []
  const sent: Array<{ signal: AbortSignal }> = []
  let closed = 0
  const timeouts = t.capture(AbortSignal, 'timeout', AbortSignal.timeout)
  const { default: plugin } = await t.mockImport<typeof import('../../../plugins/support/mail.ts')>('../../../plugins/support/mail.ts', {
    nodemailer: {
      createTransport (options: Record<string, unknown>) {
        transports.push(options)
        return { sendMail: async (mail: { signal: AbortSignal }) => { sent.push(mail) }, close: () => { closed++ } }
      }
    }
  })
  const fastify = await startMail(t, { SMTP_URL: 'smtps://mail.example.com' }, undefined, plugin)

  await fastify.mail.send(MAIL)
  await fastify.close()

  t.match(transports, [{ url: 'smtps://mail.example.com', connectionTimeout: 8000, greetingTimeout: 8000, socketTimeout: 8000, disableFileAccess: true, disableUrlAccess: true }])
  t.ok(sent[0]?.signal instanceof AbortSignal)
  t.strictSame(timeouts().map(({ args }) => args), [[40_000]])
  t.equal(closed, 1)
})

t.test('without a mail server development logs the mail, so that its link can be used', async (t) => {
  const log = captureLog('info')
  const fastify = await startMail(t, {}, log.logger)

  await fastify.mail.send(MAIL)

  t.match(log.lines, [{ level: 30, to: MAIL.to, subject: MAIL.subject, text: MAIL.text, msg: 'Mail that would be sent' }])
})

t.test('without a mail server production drops the mail and says so, and nothing of what was in it', async (t) => {
  const log = captureLog('trace')
  const fastify = await startMail(t, PRODUCTION, log.logger)

  await fastify.mail.send(MAIL)

  t.strictSame(log.lines.map(({ level, kind, msg }) => ({ level, kind, msg })), [{ level: 40, kind: 'password_reset', msg: 'A mail was dropped because SMTP_URL is not set' }])
  t.notMatch(log.text(), /example\.com|SECRET|Choose|ren/)
})
