import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { FAILURES } from '../schemas/failures.ts'
import { LiveSchema, NotReadySchema, ReadySchema } from '../schemas/health.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { pingDatabase, keyRing, isDraining, log } = fastify

  async function databaseAnswers (): Promise<boolean> {
    try {
      await pingDatabase()
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
      description: 'For whoever restarts it: an answer means that the process turns. It looks at nothing else, so that a database that is down for a while restarts nothing.',
      tags: ['Operation'],
      security: [],
      response: {
        200: { description: 'It is', ...LiveSchema },
        ...FAILURES
      }
    }
  }, async () => ({ status: 'live' as const }))

  fastify.get('/ready', {
    config: { public: true },
    schema: {
      operationId: 'readReadiness',
      summary: 'Can it serve?',
      description: 'For whoever sends it requests: 200 while it can serve them. Otherwise, and from the moment on when it is told to stop, 503.',
      tags: ['Operation'],
      security: [],
      response: {
        200: { description: 'The database answers, the keys are loaded and the process is not stopping', ...ReadySchema },
        503: { description: 'It can not; the body says why', ...NotReadySchema },
        ...FAILURES
      }
    }
  }, async (_request, reply) => {
    const failed: Array<'database' | 'signing_keys' | 'draining'> = []
    if (!await databaseAnswers()) failed.push('database')
    if (keyRing.trusted().length === 0) failed.push('signing_keys')
    if (isDraining()) failed.push('draining')
    if (failed.length === 0) return { status: 'ready' as const }
    return await reply.code(503).send({ status: 'not_ready', failed })
  })
}

export const autoPrefix = '/health'

export default routes
