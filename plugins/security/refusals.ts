import fp from 'fastify-plugin'
import { ForbiddenError } from '../../lib/errors.ts'
import { formatScope } from '../../lib/scopes.ts'
import { sessionContext } from '../data/audit.ts'

/** What somebody tried whose scopes do not allow it becomes an audit event. */
export default fp(async (fastify) => {
  const { audit, db } = fastify

  fastify.addHook('onError', async (request, _reply, error) => {
    if (!(error instanceof ForbiddenError)) return
    const { session } = request.auth
    const details = { error: error.code, request: `${request.method} ${String(request.routeOptions.url)}`, scope: formatScope(error.neededScopes) }
    try {
      await audit.record(db, { type: 'authorization_refused', outcome: 'failure', userId: session.user.id, sessionId: session.id, details }, sessionContext(request))
    } catch (fault) {
      request.log.error(fault, 'A refusal could not be written to the audit log') // it stays a refusal
    }
  })
}, { name: 'refusals', fastify: '5.x', dependencies: ['audit', 'database'] })
