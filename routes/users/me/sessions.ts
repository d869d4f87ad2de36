import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { parseCursor } from '../../../lib/cursor.ts'
import { notFound } from '../../../lib/errors.ts'
import { readLimit, toPage } from '../../../lib/page.ts'
import { toTime } from '../../../lib/user.ts'
import { isUuid } from '../../../lib/uuid.ts'
import { sessionContext } from '../../../plugins/data/audit.ts'
import type { UserSession } from '../../../plugins/data/user-sessions.ts'
import { ProblemSchema } from '../../../schemas/errors.ts'
import { FAILURES } from '../../../schemas/failures.ts'
import { DEFAULT_LIMIT } from '../../../schemas/page.ts'
import { EndSessionsQuerySchema, SessionPageSchema, SessionParamsSchema, SessionsQuerySchema, type SessionBody } from '../../../schemas/sessions.ts'

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { accounts, userSessions } = fastify

  fastify.get('/sessions', {
    config: { scopes: ['account'] },
    preValidation: readLimit,
    schema: {
      operationId: 'listOwnSessions',
      summary: 'Where you are logged in',
      description: 'Your sessions that are not over, newest first.',
      tags: ['Account'],
      querystring: SessionsQuerySchema,
      response: {
        200: { description: 'A page of sessions', ...SessionPageSchema },
        400: { description: 'The `limit` or the `cursor` is not acceptable: `validation_failed`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request) => {
    const { limit = DEFAULT_LIMIT, cursor } = request.query
    const { id: currentId, user } = request.auth.session
    const found = await userSessions.list(user.id, { limit: limit + 1, ...cursor !== undefined && { after: parsePosition(cursor) } })
    return toPage(found, limit, (session) => toSessionBody(session, currentId), ({ createdAt, id }) => [createdAt, id])
  })

  fastify.delete('/sessions', {
    config: { scopes: ['account'] },
    schema: {
      operationId: 'endOwnSessions',
      summary: 'Log out everywhere else',
      description: 'Ends your other sessions, at once and with all their tokens; with `?current=true` that of this request too.',
      tags: ['Account'],
      querystring: EndSessionsQuerySchema,
      response: { 204: Type.Null({ description: 'The sessions are over' }), ...FAILURES }
    }
  }, async (request, reply) => {
    const { id: currentId, user } = request.auth.session
    const all = request.query.current === 'true'
    await accounts.logout(user.id, sessionContext(request), all ? {} : { exceptSession: currentId })
    return await reply.code(204).send(null)
  })

  fastify.delete('/sessions/:id', {
    config: { scopes: ['account'] },
    schema: {
      operationId: 'endOwnSession',
      summary: 'Log out somewhere',
      description: 'Ends one of your sessions, at once and with all its tokens. It may be that of this request.',
      tags: ['Account'],
      params: SessionParamsSchema,
      response: {
        204: Type.Null({ description: 'The session is over' }),
        404: { description: 'You have no such session, or it is over: `not_found`', ...ProblemSchema },
        ...FAILURES
      }
    }
  }, async (request, reply) => {
    const { id } = request.params
    const isRevoked = isUuid(id) && await userSessions.revoke(request.auth.session.user.id, id, sessionContext(request))
    if (!isRevoked) throw notFound()
    return await reply.code(204).send(null)
  })
}

function parsePosition (cursor: string): { createdAt: number, id: string } {
  const [createdAt, id] = parseCursor(cursor, ['number', 'string'])
  return { createdAt, id }
}

function toSessionBody (session: UserSession, currentId: string): SessionBody {
  return {
    id: session.id,
    client_id: session.clientId,
    scope: session.scope,
    created_at: toTime(session.createdAt),
    last_used_at: toTime(session.lastUsedAt),
    expires_at: toTime(session.expiresAt),
    ip: session.ip,
    user_agent: session.userAgent,
    current: session.id === currentId
  }
}

export default routes
