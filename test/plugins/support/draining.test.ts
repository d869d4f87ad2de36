import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { build, JOHN } from '../../helper.ts'
import { formRequest, LIVE, listen, open, openIdle, request, type Connection } from '../../raw-http.ts'

const LOG_IN = formRequest('/token', new URLSearchParams(JOHN).toString())

/** A service that stops while a log-in waits for its hash. */
async function stopWhileBusy (t: Test): Promise<{ app: FastifyInstance, port: number, busy: Connection, waiting: Connection, finish: () => void, stopped: () => Promise<unknown> }> {
  const app = await build(t)
  const port = await listen(app)
  const verify = app.passwordHasher.verify
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: allowed, resolve: finish } = Promise.withResolvers<void>()
  app.passwordHasher.verify = async (...args) => {
    begin()
    await allowed
    return await verify(...args)
  }
  // Has been accepted when a younger one is served.
  const waiting = await open(t, port)
  const busy = await open(t, port)
  busy.send(LOG_IN)
  await begun

  const stopped = app.close()
  while (!app.isDraining() || app.server.listening) await setImmediate()
  return { app, port, busy, waiting, finish, stopped: async () => { await stopped } }
}

t.test('a request in flight is finished, and its connection then closed, although the client would keep it', async (t) => {
  const { busy, finish, stopped } = await stopWhileBusy(t)

  finish()
  const [answer, ...more] = await busy.end()
  await stopped()

  t.match(answer, { status: 200, headers: { connection: 'close' } })
  t.strictSame(Object.keys(JSON.parse(answer?.body ?? '')), ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'])
  t.same(more, [])
})

t.test('meanwhile nobody can connect', async (t) => {
  const { port, finish, stopped } = await stopWhileBusy(t)

  await t.rejects(open(t, port), { code: 'ECONNREFUSED' })

  finish()
  await stopped()
})

t.test('meanwhile it is live and not ready', async (t) => {
  const { waiting, finish, stopped } = await stopWhileBusy(t)

  waiting.send('GET /health/ready HTTP/1.1\r\nhost: latchkey\r\n\r\n')
  const [answer] = await waiting.end()
  finish()
  await stopped()

  t.equal(answer?.status, 503)
  t.strictSame(JSON.parse(answer?.body ?? ''), { status: 'not_ready', failed: ['draining'] })
  t.match(answer?.headers, { connection: 'close', 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
})

t.test('a request that comes meanwhile is served, and is the last one of its connection', async (t) => {
  const { waiting, finish, stopped } = await stopWhileBusy(t)

  waiting.send(LIVE + request('GET /health/live'))
  const answers = await waiting.end()
  finish()
  await stopped()

  t.same(answers.map(({ status, headers }) => [status, headers.connection]), [[200, 'close']])
})

t.test('a connection on which nothing or half a request came does not hold up the end', async (t) => {
  const { waiting, busy, finish, stopped } = await stopWhileBusy(t)
  waiting.send('GET /health/live HTTP/1.1\r\nho')

  finish()
  await busy.end()
  await stopped()

  t.same(await waiting.end(), [])
})

t.test('a client that went away does not hold up the end', async (t) => {
  const { app, busy, finish, stopped } = await stopWhileBusy(t)
  const ended = once(app.server, 'close')

  busy.reset()
  await ended
  finish()
  await stopped()

  t.notOk(app.server.listening)
})

t.test('without a request in flight it ends at once, whoever is connected', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const silent = await open(t, port)
  const idle = await openIdle(t, port)

  await app.close()

  t.same(await silent.end(), [])
  t.equal((await idle.end()).length, 1)
})

t.test('while it drains nobody can connect, and each idle connection is served once more', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const connections = [await openIdle(t, port), await openIdle(t, port)]

  const drained = app.drain()
  await t.rejects(open(t, port), { code: 'ECONNREFUSED' })
  for (const connection of connections) {
    connection.send(LIVE)
    t.strictSame((await connection.end()).map(({ status, headers }) => [status, headers.connection]), [[200, 'keep-alive'], [200, 'close']])
  }
  await drained
})

t.test('a connection that stays idle does not hold up the end', async (t) => {
  const app = await build(t)
  const idle = await openIdle(t, await listen(app))

  await app.drain()
  await app.close()

  t.equal((await idle.end()).length, 1)
})

t.test('a connection that has ended is not held', async (t) => {
  const app = await build(t)
  const port = await listen(app)
  const sockets: Socket[] = []
  app.server.on('connection', (socket) => { sockets.push(socket) })
  const [ended] = [await openIdle(t, port), await openIdle(t, port)]
  const [endedSocket, openSocket] = sockets as [Socket, Socket]
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  endedSocket.once('close', () => { resolve() })
  ended.reset()
  await closed
  const lookedAt: string[] = []
  Object.defineProperty(endedSocket, '_httpMessage', { get: () => { lookedAt.push('ended') } })
  Object.defineProperty(openSocket, '_httpMessage', { get: () => { lookedAt.push('open') } })

  await app.drain()

  t.strictSame(lookedAt, ['open'])
})
