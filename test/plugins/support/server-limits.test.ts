import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { MAX_CONNECTIONS } from '../../../plugins/support/server-limits.ts'
import { build, captureLog, stopClock } from '../../helper.ts'
import { exchange, formRequest, listen, open, openIdle, request } from '../../raw-http.ts'

const MAX_HEADERS = 100

t.test(`${MAX_CONNECTIONS} connections are held at a time`, async (t) => {
  const { server } = await build(t)

  t.equal(server.maxConnections, 10_000)
})

/** A service that holds two connections at a time. */
async function buildSmall (t: Test, log = captureLog('warn')): Promise<{ app: FastifyInstance, port: number }> {
  const app = await build(t, {}, log.logger)
  const port = await listen(app)
  app.server.maxConnections = 2
  return { app, port }
}

t.test('who comes when there are too many is turned away, and those who do nothing make room', async (t) => {
  const { app, port } = await buildSmall(t)
  const idle = await openIdle(t, port)
  const busy = await openIdle(t, port)
  const begun = once(app.server, 'request')
  busy.send(formRequest('/revoke', 'token=x').slice(0, -1))
  await begun

  const early = await open(t, port)
  t.same(await early.end(), [])
  t.equal((await idle.end()).length, 1)
  const late = await openIdle(t, port)
  busy.send('x')

  t.equal((await busy.answers(2)).length, 2, 'who is sending stays')
  t.equal((await late.answers(1)).length, 1)
})

t.test('a flood of connections is a few lines in the log, and looked at now and then', async (t) => {
  const log = captureLog('warn')
  const { app, port } = await buildSmall(t, log)
  const { advance } = stopClock(app)
  const ends = t.capture(app.server, 'closeIdleConnections', () => {})
  await openIdle(t, port)
  await openIdle(t, port)
  const knock = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await (await open(t, port)).end()
  }

  await knock(3)
  t.equal(ends().length, 1)
  advance(1000)
  await knock(1)
  t.equal(ends().length, 1)
  advance(58_999)
  await knock(1)
  t.equal(log.lines.length, 1)
  advance(1)
  await knock(1)

  t.match(log.lines, [{ level: 40, msg: /^There are too many connections/, refused: 1 }, { refused: 5 }])
  t.equal(log.lines.length, 2)
})

t.test(`a request may have ${MAX_HEADERS} headers, and none is dropped`, async (t) => {
  const port = await listen(await build(t))
  const withHeaders = (count: number): string => request('GET /users/me', `${'a: b\r\n'.repeat(count - 3)}authorization: Bearer x\r\n`)

  const [most] = await exchange(t, port, withHeaders(MAX_HEADERS))
  const [tooMany] = await exchange(t, port, withHeaders(MAX_HEADERS + 1))

  t.match(most, { status: 401, headers: { 'www-authenticate': /invalid_token/ } })
  t.match(tooMany, { status: 431, headers: { connection: 'close' } })
  t.equal(JSON.parse(tooMany?.body ?? '').code, 'headers_too_large')
})
