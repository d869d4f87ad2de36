import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { auditContext } from '../../../plugins/data/audit.ts'
import { auditEvents, build, logIn } from '../../helper.ts'

async function echoContext (t: Test): Promise<FastifyInstance> {
  const fastify = Fastify({ genReqId: () => 'request' })
  t.teardown(async () => { await fastify.close() })
  fastify.get('/', async (request) => auditContext(request, 'first-party'))
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  return fastify
}

async function ask (fastify: FastifyInstance, headers: Record<string, string>): Promise<unknown> {
  const { port } = fastify.server.address() as AddressInfo
  const [response] = await once(get({ host: '127.0.0.1', port, headers, agent: false }), 'response') as [IncomingMessage]
  return JSON.parse(Buffer.concat(await response.toArray()).toString())
}

t.test('What a request tells of itself', async (t) => {
  const told = { clientId: 'first-party', ip: '127.0.0.1', requestId: 'request' }
  const requests = [
    { name: 'is its address and its program', headers: { 'user-agent': 'curl/8' }, context: { ...told, userAgent: 'curl/8' } },
    { name: 'may be without a program', headers: {}, context: told },
    { name: 'is cut to 256 characters', headers: { 'user-agent': 'x'.repeat(4000) }, context: { ...told, userAgent: 'x'.repeat(256) } },
    { name: 'is no address that the request claims', headers: { 'x-forwarded-for': '192.0.2.9', 'x-request-id': 'mine' }, context: told }
  ]

  for (const { name, headers, context } of requests) {
    t.test(name, async (t) => {
      const fastify = await echoContext(t)

      t.strictSame(await ask(fastify, headers), context)
    })
  }
})

t.test('A log-in through the service is stored with all that its request told', async (t) => {
  const app = await build(t)
  await logIn(app)

  const [event, ...rest] = await auditEvents(app, 'login')

  t.same(rest, [])
  t.match(event, { outcome: 'success', actor_id: null, client_id: 'first-party', ip: '127.0.0.1', user_agent: 'lightMyRequest', request_id: /^[\da-f-]{36}-\d+$/, details: null })
  t.equal(event?.user_id, (await app.users.find('johndoe'))?.id)
})
