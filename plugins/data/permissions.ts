import fp from 'fastify-plugin'
import { requireRoles, scopesOfRoles } from '../../lib/database/user-rows.ts'
import { ForbiddenError } from '../../lib/errors.ts'
import type { ChangeGuard } from './accounts.ts'
import type { Db } from './database.ts'

/**
 * Nobody acts above his own scopes: each guard runs in the transaction of the act, so that what it finds still
 * holds when the act is done.
 *
 * @throws PublicError `beyond_own_scopes` (403)
 */
export interface Permissions {
  /** The actor holds all that the user holds. */
  over (actorId: string, userId: string): ChangeGuard
  /** The actor holds all that the roles allow. */
  toGive (actorId: string, roles: readonly string[]): ChangeGuard
  /** The actor holds all these scopes. */
  toGrant (actorId: string, scopes: readonly string[]): ChangeGuard
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

// Meanwhile the actor may have been disabled, or be gone.
async function scopesOfActor (tx: Db, actorId: string): Promise<string[]> {
  const actor = await tx.selectFrom('users').select('id').where('id', '=', actorId).where('disabled_at', 'is', null).executeTakeFirst()
  return actor === undefined ? [] : await scopesOfUser(tx, actorId)
}

async function requireScopes (tx: Db, actorId: string, wanted: readonly string[]): Promise<void> {
  const held = new Set(await scopesOfActor(tx, actorId))
  const missing = new Set(wanted.filter((scope) => !held.has(scope)))
  if (missing.size > 0) throw new ForbiddenError('beyond_own_scopes', 'That would need scopes that you do not hold', [...missing])
}

export const permissions: Permissions = {
  over: (actorId, userId) => async (tx) => {
    await requireScopes(tx, actorId, await scopesOfUser(tx, userId))
  },

  toGive: (actorId, roles) => async (tx) => {
    await requireRoles(tx, roles)
    await requireScopes(tx, actorId, await scopesOfRoles(tx, roles))
  },

  toGrant: (actorId, scopes) => async (tx) => {
    await requireScopes(tx, actorId, scopes)
  }
}

export default fp(async (fastify) => {
  fastify.decorate('permissions', permissions)
}, { name: 'permissions', fastify: '5.x' })
