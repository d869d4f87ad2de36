import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import answerBursts from '../../../plugins/support/answer-bursts.ts'
import refusalPace from '../../../plugins/support/refusal-pace.ts'
import { captureLog } from '../../helper.ts'

/** A service that notes when it handles requests and when their answers go out. */
async function build (t: Test): Promise<{ fastify: FastifyInstance, events: string[], errors: ReturnType<typeof captureLog> }> {
  const events: string[] = []
  const errors = captureLog('error')
  const fastify = Fastify({ loggerInstance: errors.logger }) as unknown as FastifyInstance
  t.teardown(async () => { await fastify.close() })
  await fastify.register(refusalPace)
  await fastify.register(answerBursts)
  const onSend = async (request: FastifyRequest): Promise<void> => { events.push(`${request.url} is sent`) }
  fastify.get('/at-once', { onSend }, async (request) => {
    events.push(`${request.url} is handled`)
    return { answer: 'at once' }
  })
  fastify.get('/after-a-while', { onSend }, async (request) => {
    for (let tick = 0; tick < 10; tick++) await new Promise<void>((resolve) => { process.nextTick(resolve) })
    events.push(`${request.url} is handled`)
    return { answer: 'after a while' }
  })
  fastify.get('/faulty', async () => { throw new Error('a fault of the test') })
  fastify.get('/unsendable', async (_request, reply) => reply.header('x-unsendable', 'one\ntwo').send('text'))
  fastify.get('/unsendable-refusal', async (_request, reply) => reply.headers({ 'x-unsendable': 'one\ntwo', 'retry-after': '1' }).send('text'))
  await fastify.ready()
  return { fastify, events, errors }
}

t.test('the answers of one turn of the event loop are sent when all its requests were handled', async (t) => {
  const { fastify, events } = await build(t)
  const urls = ['/at-once?1', '/after-a-while', '/at-once?2']

  const answers = await Promise.all(urls.map(async (url) => await fastify.inject(url)))

  t.same(answers.map((answer) => answer.json()), [{ answer: 'at once' }, { answer: 'after a while' }, { answer: 'at once' }])
  t.same(events.slice(0, 3).toSorted(), ['/after-a-while is handled', '/at-once?1 is handled', '/at-once?2 is handled'])
  t.same(events.slice(3).toSorted(), ['/after-a-while is sent', '/at-once?1 is sent', '/at-once?2 is sent'])
})

t.test('those of the next turn are sent for themselves', async (t) => {
  const { fastify, events } = await build(t)

  for (const url of ['/at-once?1', '/at-once?2']) {
    await fastify.inject(url)
    await nextTurn()
  }

  t.same(events, ['/at-once?1 is handled', '/at-once?1 is sent', '/at-once?2 is handled', '/at-once?2 is sent'])
})

t.test('an error and a page that is not there are answered with the others', async (t) => {
  const { fastify } = await build(t)

  const answers = await Promise.all(['/faulty', '/nowhere', '/at-once'].map(async (url) => await fastify.inject(url)))

  t.same(answers.map(({ statusCode }) => statusCode), [500, 404, 200])
  t.match(answers.map((answer) => answer.json()), [{ message: 'a fault of the test' }, { message: 'Route GET:/nowhere not found' }, { answer: 'at once' }])
})

for (const unsendable of ['/unsendable', '/unsendable-refusal']) {
  t.test(`an answer that can't be sent is logged, and takes neither the others nor the process with it: ${unsendable}`, async (t) => {
    const { fastify, errors } = await build(t)

    const answers = await Promise.allSettled(['/at-once?1', unsendable, '/at-once?2'].map(async (url) => (await fastify.inject(url)).statusCode))

    t.match(answers, [{ value: 200 }, { reason: Error }, { value: 200 }])
    t.match(errors.lines, [{ level: 50, err: { code: 'ERR_INVALID_CHAR' }, msg: 'An answer could not be sent' }])
  })
}
