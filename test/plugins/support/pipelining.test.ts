import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import clock from '../../../plugins/support/clock.ts'
import draining from '../../../plugins/support/draining.ts'
import pipelining, { MAX_QUEUED } from '../../../plugins/support/pipelining.ts'
import { build, captureLog, stopClock } from '../../helper.ts'
import { listen, open, request } from '../../raw-http.ts'

const REPORT_EVERY_MS = 60_000
const ENDED = 'Connections were ended that sent too many requests without waiting for answers'
const READY = 'GET /health/ready HTTP/1.1\r\nhost: latchkey\r\n\r\n'

t.test('one connection can not fill the queue, and all together can not fill the memory', async (t) => {
  t.strictSame(MAX_QUEUED, { perConnection: 100, inAll: 5000 })
})

t.test(`a client may send ${MAX_QUEUED.perConnection} requests while it waits for an answer, again and again`, async (t) => {
  const port = await listen(await build(t))
  const connection = await open(t, port)
  const sent = MAX_QUEUED.perConnection + 1

  for (let times = 1; times <= 3; times++) {
    connection.send(READY.repeat(sent))
    const answers = await connection.answers(sent * times)

    t.ok(answers.every(({ status }) => status === 200))
  }
})

t.test('who sends more is cut off, and what he sent beyond is not looked at', async (t) => {
  const log = captureLog('warn')
  const app = await build(t, {}, log.logger)
  const { advance } = stopClock(app)
  const port = await listen(app)
  const looks = t.capture(app.keyRing, 'trusted', app.keyRing.trusted)
  const flood = async (): Promise<void> => {
    const connection = await open(t, port)
    connection.send(READY.repeat(1000))
    t.same(await connection.end(), [])
  }

  await flood()
  await nextTurn()

  t.equal(looks().length, MAX_QUEUED.perConnection + 1)
  const [answer] = await (async () => { const other = await open(t, port); other.send(request('GET /health/live')); return await other.end() })()
  t.equal(answer?.status, 200, 'others are served')

  advance(REPORT_EVERY_MS - 1)
  await flood()
  t.match(log.lines, [{ level: 40, msg: ENDED, connections: 1 }])
  t.equal(log.lines.length, 1)

  advance(1)
  await flood()
  t.match(log.lines, [{ connections: 1 }, { connections: 2 }], 'a flood of them is no flood of lines')
})

t.test('who waited for many answers before may send no more at a time than others', async (t) => {
  const app = await build(t)
  const connection = await open(t, await listen(app))
  const most = MAX_QUEUED.perConnection + 1
  connection.send(READY.repeat(most))
  await connection.answers(most)
  const looks = t.capture(app.keyRing, 'trusted', app.keyRing.trusted)

  connection.send(READY.repeat(1000))

  t.equal((await connection.end()).length, most)
  t.equal(looks().length, most)
})

/** A service with one route, whose answers wait until the test lets them go. */
async function buildBare (t: Test): Promise<{ fastify: FastifyInstance, begun: () => number, finish: () => void }> {
  const fastify = Fastify() as unknown as FastifyInstance
  t.teardown(async () => { await fastify.close() })
  await fastify.register(clock)
  await fastify.register(draining)
  await fastify.register(pipelining)
  const { promise: finished, resolve: finish } = Promise.withResolvers<string>()
  let begun = 0
  fastify.get('/', async () => {
    begun++
    return await finished
  })
  return { fastify, begun: () => begun, finish: () => { finish('done') } }
}

t.test(`${MAX_QUEUED.inAll} requests may wait behind others in all; who sends one after the other is served meanwhile`, async (t) => {
  const { fastify, begun, finish } = await buildBare(t)
  const port = await listen(fastify)
  const one = 'GET / HTTP/1.1\r\nhost: latchkey\r\n\r\n'
  const clients = MAX_QUEUED.inAll / MAX_QUEUED.perConnection
  const busy = await Promise.all(Array.from({ length: clients }, async () => await open(t, port)))

  busy.forEach((connection) => { connection.send(one.repeat(MAX_QUEUED.perConnection + 1)) })
  while (begun() < clients * (MAX_QUEUED.perConnection + 1)) await nextTurn()
  const patient = await open(t, port)
  patient.send(one)
  const greedy = await open(t, port)
  greedy.send(one.repeat(2))

  t.same(await greedy.end(), [])
  finish()
  t.equal((await patient.answers(1))[0]?.body, 'done')
  t.equal((await busy[0]?.answers(MAX_QUEUED.perConnection + 1))?.length, MAX_QUEUED.perConnection + 1)
  greedy.reset()
  const late = await open(t, port)
  late.send(one.repeat(2))
  t.equal((await late.answers(2)).length, 2, 'there is room again')
})
