import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requireRoles, scopesOfRoles } from '../../lib/database/user-rows.ts'
import { ForbiddenError } from '../../lib/errors.ts'
import { ALL_SCOPES } from '../../lib/scopes.ts'
import type { ChangeGuard } from './accounts.ts'
import type { Db } from './database.ts'

/** Who acts, and what the token that came with the act may do: less than its user, if less was asked for at log-in. */
export interface Actor {
  id: string
  scopes: readonly string[]
}

/**
 * Nobody acts above his own scopes: each guard runs in the transaction of the act, so that what it finds still
 * holds when the act is done.
 *
 * @throws PublicError `beyond_own_scopes` (403)
 */
export interface Permissions {
  /** The actor holds all that the user holds. */
  over (actor: Actor, userId: string): ChangeGuard
  /** The actor holds all that the roles allow. */
  toGive (actor: Actor, roles: readonly string[]): ChangeGuard
  /** The actor holds all these scopes. */
  toGrant (actor: Actor, scopes: readonly string[]): ChangeGuard
}

declare module 'fastify' {
  interface FastifyInstance {
    permissions: Permissions
  }
}

async function scopesOfUser (tx: Db, userId: string): Promise<string[]> {
  const rows = await tx.selectFrom('user_roles').select('role').where('user_id', '=', userId).execute()
  return await scopesOfRoles(tx, rows.map(({ role }) => role))
}

/**
 * What everybody has counts although the token has less: it raises nobody. So do the scopes of other services for who
 * may write roles: who has just defined one has a token without it.
 */
async function scopesOfActor (tx: Db, { id, scopes }: Actor): Promise<string[]> {
  const actor = await tx.selectFrom('users').select('id').where('id', '=', id).where('disabled_at', 'is', null).executeTakeFirst()
  if (actor === undefined) return [] // meanwhile disabled, or gone
  const allowed = new Set([...scopes, ...await scopesOfRoles(tx, [])])
  const definesScopes = scopes.includes('roles:write')
  return (await scopesOfUser(tx, id)).filter((scope) => allowed.has(scope) || (definesScopes && !ALL_SCOPES.includes(scope)))
}

async function requireScopes (tx: Db, actor: Actor, wanted: readonly string[]): Promise<void> {
  const held = new Set(await scopesOfActor(tx, actor))
  const missing = new Set(wanted.filter((scope) => !held.has(scope)))
  if (missing.size > 0) throw new ForbiddenError('beyond_own_scopes', 'That would need scopes that you, or your token, do not hold', [...missing])
}

export const permissions: Permissions = {
  over: (actor, userId) => async (tx) => {
    await requireScopes(tx, actor, await scopesOfUser(tx, userId))
  },

  toGive: (actor, roles) => async (tx) => {
    await requireRoles(tx, roles)
    await requireScopes(tx, actor, await scopesOfRoles(tx, roles))
  },

  toGrant: (actor, scopes) => async (tx) => {
    await requireScopes(tx, actor, scopes)
  }
}

export default fp(async (fastify) => {
  fastify.decorate('permissions', permissions)
}, { name: 'permissions', fastify: '5.x' })

/** Whom the token of the request is about. */
export function actorOf ({ auth: { session, scopes } }: FastifyRequest): Actor {
  return { id: session.user.id, scopes }
}
