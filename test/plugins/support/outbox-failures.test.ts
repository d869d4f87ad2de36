import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Mail } from '../../../lib/due-mail.ts'
import { LEASE_MS } from '../../../plugins/support/outbox-worker.ts'
import { PRODUCTION } from '../../command.ts'
import { build, captureLog, stopClock, testEnv } from '../../helper.ts'
import { startMailServer, tokenIn } from '../../mail-server.ts'
import { ada, owed, RESET } from './outbox.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Puts a mail server that can't be reached in the place of the real one; gives what was to be sent. */
function breakMail (app: FastifyInstance, error: object = { code: 'ECONNECTION' }): Mail[] {
  const attempts: Mail[] = []
  app.mail.send = async (mail) => {
    attempts.push(mail)
    throw Object.assign(new Error(`it is for ${mail.to}`), error)
  }
  return attempts
}

t.test('mails wait until a mail server that was down is up again', async (t) => {
  const server = await startMailServer(t)
  const app = await build(t, { SMTP_URL: server.url })
  const clock = stopClock(app)
  await ada(app)
  await app.outbox.add(app.db, RESET)
  await server.close()

  await app.outboxWorker.run()
  t.equal((await owed(app)).length, 1)
  const again = await startMailServer(t, { port: Number(new URL(server.url).port) })
  clock.advance(MINUTE - 1)
  await app.outboxWorker.run()
  t.strictSame(again.received, [])
  clock.advance(1)
  await app.outboxWorker.run()

  t.strictSame(server.received, [])
  t.match(again.received, [{ recipients: ['Ada@example.com'] }])
  t.strictSame(await owed(app), [])
})

t.test('a mail that can not be sent is tried again with growing delays, and given up after a day', async (t) => {
  const log = captureLog('info')
  const app = await build(t, {}, log.logger)
  const clock = stopClock(app, 0)
  await ada(app)
  await app.outbox.add(app.db, RESET)
  const attempts = breakMail(app)
  const before = log.lines.length

  const delays: number[] = []
  for (let [message] = await owed(app); message !== undefined; [message] = await owed(app)) {
    const at = app.clock.now()
    delays.push((message.due_at - at) / MINUTE)
    clock.advance(message.due_at - at)
    await app.outboxWorker.run()
  }

  const hours = Array(delays.length - 7).fill(60)
  t.strictSame(delays, [0, 1, 2, 4, 8, 16, 32, ...hours])
  t.ok(app.clock.now() >= 24 * HOUR && app.clock.now() < 25 * HOUR)
  t.equal(attempts.length, delays.length)
  t.equal(new Set(attempts.map(tokenIn)).size, attempts.length, 'each mail would have had a token of its own')
  const lines = log.lines.slice(before)
  t.match(lines[0], { level: 40, kind: 'password_reset', attempts: 1, code: 'ECONNECTION', msg: 'A mail could not be sent and will be tried again' })
  t.match(lines.at(-1), { level: 50, kind: 'password_reset', attempts: attempts.length, code: 'ECONNECTION', msg: 'A mail could not be sent and is given up' })
  t.equal(lines.filter(({ level }) => level === 50).length, 1)
})

t.test('a mail that is older than a day when the service starts is tried once', async (t) => {
  const server = await startMailServer(t)
  const app = await build(t, { SMTP_URL: server.url })
  const clock = stopClock(app)
  await ada(app)
  await app.outbox.add(app.db, RESET)

  clock.advance(48 * HOUR)
  await app.outboxWorker.run()

  t.equal(server.received.length, 1)
})

t.test('an address that the mail server does not take is news, not an alarm, and is not logged', async (t) => {
  const server = await startMailServer(t, {
    options: { onRcptTo: ({ address }, _session, answer) => { answer(Object.assign(new Error(`<${address}> is unknown`), { responseCode: 550 })) } }
  })
  const log = captureLog('trace')
  const app = await build(t, { SMTP_URL: server.url }, log.logger)
  await ada(app)
  await app.outbox.add(app.db, RESET)
  const before = log.lines.length

  await app.outboxWorker.run()

  const lines = log.lines.slice(before)
  t.match(lines, [{ level: 30, kind: 'password_reset', code: 'EENVELOPE', status: 550, msg: 'A mail could not be sent and will be tried again' }])
  t.notMatch(JSON.stringify(lines), 'example.com')
})

const refusals: Array<{ error: object, isFinal: boolean }> = [
  { error: { code: 'EENVELOPE', responseCode: 550 }, isFinal: true },
  { error: { code: 'EENVELOPE', responseCode: 559 }, isFinal: true },
  { error: { code: 'EENVELOPE', responseCode: 450 }, isFinal: false },
  { error: { code: 'EENVELOPE', responseCode: 549 }, isFinal: false },
  { error: { code: 'EENVELOPE', responseCode: 560 }, isFinal: false },
  { error: { code: 'EENVELOPE' }, isFinal: false },
  { error: { code: 'EAUTH', responseCode: 550 }, isFinal: false }
]
for (const { error, isFinal } of refusals) {
  t.test(`${JSON.stringify(error)} is ${isFinal ? 'given up after the third try' : 'tried again after the third try'}`, async (t) => {
    const log = captureLog('info')
    const app = await build(t, {}, log.logger)
    const clock = stopClock(app)
    await ada(app)
    await app.outbox.add(app.db, RESET)
    const attempts = breakMail(app, error)

    for (let attempt = 0; attempt < 4; attempt++) {
      await app.outboxWorker.run()
      clock.advance(HOUR)
    }

    t.equal(attempts.length, isFinal ? 3 : 4)
    t.equal((await owed(app)).length, isFinal ? 0 : 1)
    t.match(log.lines.at(-1), isFinal
      ? { level: 30, attempts: 3, msg: 'A mail could not be sent and is given up' }
      : { attempts: 4, msg: 'A mail could not be sent and will be tried again' })
  })
}

t.test('no line of production holds an address, a name, a token or a link, whatever becomes of the mails', async (t) => {
  const log = captureLog('trace')
  const server = await startMailServer(t)
  const env = testEnv(t, { ...PRODUCTION, SMTP_URL: server.url })
  const app = await build(t, env, log.logger)
  const clock = stopClock(app)
  const { id: userId } = await ada(app)
  const before = log.lines.length
  const add = async (): Promise<void> => {
    await app.outbox.add(app.db, RESET)
    await app.outbox.add(app.db, { kind: 'invitation', userId })
    await app.outbox.add(app.db, { kind: 'password_changed', email: 'ada@example.com', username: 'ada' })
  }

  await add()
  await app.outboxWorker.run()
  await add()
  const attempts = breakMail(app)
  await app.outboxWorker.run()
  clock.advance(24 * HOUR)
  await app.outboxWorker.run()
  app.dueMails.prepare = async () => { throw new Error('the disk is gone') }
  await add()
  await app.outboxWorker.run()

  t.equal(server.received.length, 3)
  t.equal(attempts.length, 6)
  t.equal(log.lines.slice(before).length, 7)
  const text = JSON.stringify(log.lines.slice(before)).toLowerCase()
  for (const secret of [...attempts.slice(0, 2), ...server.received.slice(0, 2)].map(tokenIn)) t.notMatch(text, secret.toLowerCase())
  t.notMatch(text, /@|example\.com|"ada"|token|https?:/)
})

t.test('a message with which something is wrong does not hold up the others', async (t) => {
  const log = captureLog('error')
  const server = await startMailServer(t)
  const app = await build(t, { SMTP_URL: server.url }, log.logger)
  const clock = stopClock(app)
  await ada(app)
  await app.outbox.add(app.db, { kind: 'of another version' as 'account_deleted', email: 'ada@example.com', username: 'ada' })
  clock.advance(1)
  await app.outbox.add(app.db, RESET)

  await app.outboxWorker.run()
  t.match(log.lines, [{ level: 50, msg: 'The outbox could not be looked after' }])
  await app.outboxWorker.run()

  t.equal(server.received.length, 1)
  t.match(await owed(app), [{ kind: 'of another version', due_at: app.clock.now() + LEASE_MS }])
})
