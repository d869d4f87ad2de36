import fp from 'fastify-plugin'
import { BoundedMap } from '../../lib/bounded-map.ts'
import { LAST_ADMINISTRATOR } from '../../lib/database/administrators.ts'
import { ForbiddenError, PublicError } from '../../lib/errors.ts'
import { formatScope } from '../../lib/scopes.ts'
import { sessionContext } from '../data/audit.ts'

/** Refusals of one user that are recorded in a minute. */
const MAX_A_MINUTE = 20

/** What somebody tried who may not do it becomes an audit event. */
export default fp(async (fastify) => {
  const { audit, clock, db } = fastify
  const recorded = new BoundedMap<string, { minute: number, count: number }>(10_000)

  /** A flood of refusals must not fill the disk: the first of each minute tell all that the others would. */
  function isWorthRecording (userId: string): boolean {
    const minute = Math.floor(clock.now() / 60_000)
    const known = recorded.get(userId)
    const count = known?.minute === minute ? known.count + 1 : 1
    recorded.set(userId, { minute, count })
    return count <= MAX_A_MINUTE
  }

  fastify.addHook('onError', async (request, _reply, error) => {
    const reason = reasonOf(error)
    if (reason === undefined) return
    const { session } = request.auth
    if (!isWorthRecording(session.user.id)) return
    const details = { ...reason, request: `${request.method} ${String(request.routeOptions.url)}` }
    try {
      await audit.record(db, { type: 'authorization_refused', outcome: 'failure', userId: session.user.id, details }, sessionContext(request))
    } catch (fault) {
      request.log.error(fault, 'A refusal could not be written to the audit log') // it stays a refusal
    }
  })
}, { name: 'refusals', fastify: '5.x', dependencies: ['audit', 'clock', 'database'] })

function reasonOf (error: Error): Record<string, string> | undefined {
  if (error instanceof ForbiddenError) return { error: error.code, scope: formatScope(error.neededScopes) }
  if (error instanceof PublicError && error.code === LAST_ADMINISTRATOR) return { error: error.code }
  return undefined
}
