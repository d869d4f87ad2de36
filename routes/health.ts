import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemSchema } from '../schemas/errors.ts'
import { LiveSchema, NotReadySchema, ReadySchema } from '../schemas/health.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { db, keyRing, log } = fastify
  let draining = false
  fastify.addHook('preClose', async () => { draining = true })

  async function databaseAnswers (): Promise<boolean> {
    try {
      await db.selectFrom('roles').select('name').limit(1).execute()
      return true
    } catch (error) {
      log.error(error, 'The database does not answer')
      return false
    }
  }

  fastify.get('/live', {
    config: { public: true },
    schema: {
      operationId: 'readLiveness',
      summary: 'Is the process alive?',
      tags: ['Operation'],
      security: [],
      response: {
        200: { description: 'It is', ...LiveSchema },
        '4xx': { description: 'The request is not acceptable', ...ProblemSchema },
        '5xx': { description: 'Something went wrong here', ...ProblemSchema }
      }
    }
  }, async () => ({ status: 'live' as const }))

  fastify.get('/ready', {
    config: { public: true },
    schema: {
      operationId: 'readReadiness',
      summary: 'Can it serve?',
      tags: ['Operation'],
      security: [],
      response: {
        200: { description: 'The database answers, the keys are loaded and the process is not stopping', ...ReadySchema },
        503: { description: 'It can not; the body says why', ...NotReadySchema },
        '4xx': { description: 'The request is not acceptable', ...ProblemSchema },
        '5xx': { description: 'Something went wrong here', ...ProblemSchema }
      }
    }
  }, async (_request, reply) => {
    const failed: Array<'database' | 'signing_keys' | 'draining'> = []
    if (!await databaseAnswers()) failed.push('database')
    if (keyRing.trusted().length === 0) failed.push('signing_keys')
    if (draining) failed.push('draining')
    if (failed.length === 0) return { status: 'ready' as const }
    return await reply.code(503).send({ status: 'not_ready', failed })
  })
}

export const autoPrefix = '/health'

export default routes
