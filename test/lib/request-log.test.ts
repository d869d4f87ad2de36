import Fastify from 'fastify'
import t from 'tap'
import { RequestLog } from '../../lib/request-log.ts'
import { captureLog } from '../helper.ts'

t.test('an answer that could not be sent is a warning with its cause', async (t) => {
  const log = captureLog()
  const fastify = Fastify({ loggerInstance: log.logger, logController: new RequestLog() })
  t.teardown(async () => { await fastify.close() })
  fastify.get('/broken', async (_request, reply) => {
    reply.hijack()
    reply.raw.emit('error', new Error('the connection is gone'))
  })

  await t.rejects(fastify.inject('/broken?secret=CANARY'), { message: 'the connection is gone' })

  t.match(log.lines, [{ level: 40, msg: 'the answer could not be sent', method: 'GET', path: '/broken', err: { message: 'the connection is gone' }, request_id: String }])
  t.notMatch(log.text(), 'CANARY')
})
