import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { serverOptions } from '../../lib/server-options.ts'
import { testConfig } from '../helper.ts'
import { exchange, listen, open } from '../raw-http.ts'

const MALFORMED = '{"statusCode":400,"code":"bad_request","error":"Bad Request","message":"The request is malformed"}'

type ClientError = NodeJS.ErrnoException & { code: string, bytesParsed: number, rawPacket: { type: string, data: number[] } }

const optionsFor = (t: Test): ReturnType<typeof serverOptions> => serverOptions(testConfig(t), pino({ level: 'silent' }))

function bare (t: Test): FastifyInstance {
  const fastify = Fastify(optionsFor(t)) as unknown as FastifyInstance
  t.teardown(async () => { await fastify.close() })
  return fastify
}

t.test('the limits are those of the contract', async (t) => {
  t.match(optionsFor(t), {
    bodyLimit: 16_384,
    requestTimeout: 10_000,
    connectionTimeout: 30_000 + testConfig(t).hashQueueMs,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: 5000, connectionsCheckingInterval: 1000, maxHeaderSize: 16_384, insecureHTTPParser: false },
    requestIdHeader: false,
    trustProxy: false,
    return503OnClosing: false,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false } }
  })
})

t.test('nothing that is sent is turned into something else', async (t) => {
  const fastify = bare(t)
  const body = { type: 'object', additionalProperties: false, properties: { on: { type: 'boolean' }, count: { type: 'integer' }, name: { type: 'string' } } }
  fastify.post('/', { schema: { body } }, async (request) => request.body)

  const refused = [{ on: 'false' }, { on: 0 }, { on: '0' }, { count: '1' }, { count: '0x10' }, { count: 1.5 }, { name: null }, { name: 1 }, { name: ['a'] }, { other: 1 }, null, [], 'x', 1]

  for (const payload of refused) {
    const response = await fastify.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload: JSON.stringify(payload) })
    t.equal(response.statusCode, 400, JSON.stringify(payload))
  }
})

t.test('16 KiB of JSON are read and no more', async (t) => {
  const fastify = bare(t)
  fastify.post('/', async () => 'read')
  const send = async (bytes: number): Promise<number> => {
    const response = await fastify.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload: JSON.stringify('a'.repeat(bytes - 2)) })
    return response.statusCode
  }

  t.equal(await send(16_384), 200)
  t.equal(await send(16_385), 413)
})

t.test('an answer that has begun is not followed by another one when its request breaks', async (t) => {
  const fastify = bare(t)
  fastify.get('/', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-length': 10 }).write('begun')
  })
  const port = await listen(fastify)
  const connection = await open(t, port)
  const broken = once(fastify.server, 'clientError')
  connection.send('GET / HTTP/1.1\r\nhost: latchkey\r\n\r\n')
  connection.send('broken\r\n\r\n')

  await broken

  await t.rejects(connection.end(), { message: /after the answers came: HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nbegun$/ })
})

t.test('what can not even be read as HTTP is answered once and the connection closed', async (t) => {
  const { clientErrorHandler } = optionsFor(t)
  const server = createServer((socket) => { clientErrorHandler?.call(bare(t), new Error('a fault without a code') as ClientError, socket) }).listen(0, '127.0.0.1')
  t.teardown(() => { server.close() })
  await once(server, 'listening')

  const answers = await exchange(t, (server.address() as AddressInfo).port, '')

  t.same(answers.map(({ status, body }) => [status, body]), [[400, MALFORMED]])
})

const gone = [
  { name: 'that was reset', code: 'ECONNRESET', prepare: () => {} },
  { name: 'that can not be written to any more', code: 'HPE_INVALID_METHOD', prepare: (socket: Socket) => { socket.end() } }
]

for (const { name, code, prepare } of gone) {
  t.test(`a connection ${name} is given up without an answer`, async (t) => {
    const { clientErrorHandler } = optionsFor(t)
    const server = createServer((socket) => {
      prepare(socket)
      clientErrorHandler?.call(bare(t), Object.assign(new Error('gone'), { code }) as ClientError, socket)
      t.ok(socket.destroyed)
    }).listen(0, '127.0.0.1')
    t.teardown(() => { server.close() })
    await once(server, 'listening')

    t.same(await exchange(t, (server.address() as AddressInfo).port, ''), [])
  })
}
