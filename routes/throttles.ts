import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { parseCursor } from '../lib/cursor.ts'
import { notFound } from '../lib/errors.ts'
import { readLimit, toPage } from '../lib/page.ts'
import { toThrottleBody } from '../lib/throttle/counted.ts'
import { sessionContext } from '../plugins/data/audit.ts'
import { actorOf } from '../plugins/data/permissions.ts'
import { ProblemSchema } from '../schemas/errors.ts'
import { BEYOND_OWN_SCOPES, FAILURES, NOT_ACCEPTABLE } from '../schemas/failures.ts'
import { DEFAULT_LIMIT } from '../schemas/page.ts'
import { ThrottlePageSchema, ThrottleParamsSchema, ThrottlesQuerySchema } from '../schemas/throttles.ts'

// 32 bytes in base64url: other text must not reach the database.
const ID = /^[A-Za-z0-9_-]{43}$/

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { permissions, throttleAdministration } = fastify

  fastify.get('/throttles', {
    config: { scopes: ['users:read'] },
    preValidation: readLimit,
    schema: {
      operationId: 'listThrottles',
      summary: 'What is counted and who has to wait',
      description: 'Failures and mails that count now, in no order that means anything. An account is counted by what was typed and by the user.',
      tags: ['Administration'],
      querystring: ThrottlesQuerySchema,
      response: { 200: { description: 'A page of counts', ...ThrottlePageSchema }, 400: NOT_ACCEPTABLE, ...FAILURES }
    }
  }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor, user_id: userId } = request.query
    const found = await throttleAdministration.list(
      userId === undefined ? {} : { userId },
      { limit: limit + 1, ...cursor !== undefined && { after: parseCursor(cursor, ['string'])[0] } }
    )
    return toPage(found, limit, toThrottleBody, ({ id }) => [id])
  })

  fastify.delete('/throttles/:id', {
    config: { scopes: ['users:write'] },
    schema: {
      operationId: 'clearThrottle',
      summary: 'Forget a count',
      description: 'Whoever was held up by it can try again. You need all scopes that the user holds whom it is about, if there is one.',
      tags: ['Administration'],
      params: ThrottleParamsSchema,
      response: {
        204: Type.Null({ description: 'It is forgotten' }),
        403: BEYOND_OWN_SCOPES,
        404: { description: 'There is no such count (any more): `not_found`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    if (!ID.test(request.params.id)) throw notFound()
    await throttleAdministration.clear(request.params.id, sessionContext(request), (userId) => permissions.over(actorOf(request), userId))
    return await reply.code(204).send(null)
  })
}

export default routes
