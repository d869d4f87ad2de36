import fp from 'fastify-plugin'
import type { Client } from '../../lib/clients.ts'
import type { AuditContext } from '../data/audit.ts'

/** A request to the token endpoint whose form is well-formed and whose client is known. */
export interface GrantRequest {
  form: Readonly<Record<string, string>>
  client: Client
  context: AuditContext
  /** Aborted when the client hangs up. */
  signal: AbortSignal
}

/** What the grant gave: a session, its refresh token, and the scope of this access token. */
export interface Grant {
  userId: string
  sessionId: string
  generation: number
  scope: string
  /** Epoch milliseconds. */
  authenticatedAt: number
}

/** @throws OAuthError when nothing is granted */
export type GrantHandler = (request: GrantRequest) => Promise<Grant>

declare module 'fastify' {
  interface FastifyInstance {
    /** The supported values of `grant_type`; each grant is a plugin that adds itself. */
    grants: Map<string, GrantHandler>
  }
}

export default fp(async (fastify) => {
  fastify.decorate('grants', new Map())
}, { name: 'grants', fastify: '5.x' })
