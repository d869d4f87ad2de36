import fp from 'fastify-plugin'
import { keepAdministrator } from '../../lib/database/administrators.ts'
import type { RoleRow } from '../../lib/database/tables.ts'
import { PublicError } from '../../lib/errors.ts'
import { BUILT_IN_ROLES, isRoleName, parseRole, type Role } from '../../lib/roles.ts'
import { ALL_SCOPES, formatScope } from '../../lib/scopes.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'

/** Runs in the transaction of a change, before it, and throws to prevent it; gets the scopes that the role has and those that it is to have. */
export type RoleGuard = (tx: Db, scopes: readonly string[]) => Promise<void>

/** What a role allows is looked up whenever somebody uses it, so that each change counts at once for all who have it. */
export interface Roles {
  /** By name. */
  list (): Promise<Role[]>
  /**
   * Makes a role, or changes one as a whole.
   *
   * @throws ValidationError for a name, a scope or a description that can't be one
   * @throws PublicError `built_in_role`, `too_many_roles`, `too_many_scopes`, `last_administrator` (409)
   */
  set (role: Role, context: AuditContext, guard?: RoleGuard): Promise<{ role: Role, isNew: boolean }>
  /**
   * Takes the role away from all who have it. Resolves to false when there is none.
   *
   * @throws PublicError `built_in_role`, `last_administrator` (409)
   */
  remove (name: string, context: AuditContext, guard?: RoleGuard): Promise<boolean>
}

declare module 'fastify' {
  interface FastifyInstance {
    roles: Roles
  }
}

// Whoever has all scopes gets them all into one access token, and that into one header.
const MAX_SCOPES_LENGTH = 4096
// The scopes of all of them are read whenever one changes, and all are listed at once.
const MAX_ROLES = 1000

const NOBODY_OBJECTS: RoleGuard = async () => {}

export function createRoles (db: Db, audit: Audit): Roles {
  /** Gives the role `admin` every scope that any role has, and takes from it those that none has any more. */
  async function completeAdmin (tx: Db, more: readonly string[] = []): Promise<void> {
    const rows = await tx.selectFrom('roles').select('scopes').where('name', '!=', 'admin').orderBy('name').execute()
    const all = new Set([...ALL_SCOPES, ...rows.flatMap(toScopes), ...more])
    await tx.updateTable('roles').set({ scopes: formatScope(all) }).where('name', '=', 'admin').execute()
  }

  async function refuseTooMany (tx: Db): Promise<void> {
    const { roles } = await tx.selectFrom('roles').select(({ fn }) => fn.countAll<number>().as('roles')).executeTakeFirstOrThrow()
    if (roles > MAX_ROLES) throw new PublicError(409, 'too_many_roles', `There may be at most ${MAX_ROLES} roles`)
    const { scopes } = await tx.selectFrom('roles').select('scopes').where('name', '=', 'admin').executeTakeFirstOrThrow()
    if (scopes.length > MAX_SCOPES_LENGTH) {
      throw new PublicError(409, 'too_many_scopes', `The names of all scopes together may have at most ${MAX_SCOPES_LENGTH} characters`)
    }
  }

  async function scopesOf (tx: Db, name: string): Promise<string[] | undefined> {
    const row = await tx.selectFrom('roles').select('scopes').where('name', '=', name).executeTakeFirst()
    return row && toScopes(row)
  }

  /** Whoever holds a link now was not meant to get more with it than the user had when it was mailed. */
  async function revokeLinks (tx: Db, role: string): Promise<void> {
    await tx.deleteFrom('one_time_tokens').where('user_id', 'in', (query) => query.selectFrom('user_roles').select('user_id').where('role', '=', role)).execute()
  }

  return {
    async list () {
      const rows = await db.selectFrom('roles').select(['name', 'scopes', 'description']).orderBy('name').execute()
      return rows.map((row) => ({ name: row.name, scopes: toScopes(row), description: row.description }))
    },

    async set (wanted, context, guard = NOBODY_OBJECTS) {
      const role = parseRole(wanted)
      const { name, scopes, description } = role
      refuseBuiltIn(name)
      return await db.transaction().execute(async (tx) => await keepAdministrator(tx, async () => {
        const before = await scopesOf(tx, name)
        // Before the guard looks, a new scope is the administrators' alone: so nobody else can define one.
        await completeAdmin(tx, scopes)
        await guard(tx, [...before ?? [], ...scopes])
        const row = { scopes: formatScope(scopes), description }
        await tx.insertInto('roles').values({ name, ...row }).onConflict((conflict) => conflict.column('name').doUpdateSet(row)).execute()
        await completeAdmin(tx)
        await refuseTooMany(tx)
        if (scopes.some((scope) => before?.includes(scope) === false)) await revokeLinks(tx, name)
        await audit.record(tx, { type: 'role_set', outcome: 'success', details: { role: name, before: formatScope(before ?? []), after: row.scopes } }, context)
        return { role, isNew: before === undefined }
      }))
    },

    async remove (name, context, guard = NOBODY_OBJECTS) {
      refuseBuiltIn(name)
      if (!isRoleName(name)) return false // not every database can look for every text
      return await db.transaction().execute(async (tx) => await keepAdministrator(tx, async () => {
        const before = await scopesOf(tx, name)
        if (before === undefined) return false
        await guard(tx, before)
        const { numDeletedRows: users } = await tx.deleteFrom('user_roles').where('role', '=', name).executeTakeFirst()
        await tx.deleteFrom('roles').where('name', '=', name).execute()
        await completeAdmin(tx)
        await audit.record(tx, { type: 'role_deleted', outcome: 'success', details: { role: name, before: formatScope(before), users: Number(users) } }, context)
        return true
      }))
    }
  }
}

function toScopes ({ scopes }: Pick<RoleRow, 'scopes'>): string[] {
  return scopes.split(' ').filter(Boolean)
}

function refuseBuiltIn (name: string): void {
  if (BUILT_IN_ROLES.includes(name)) throw new PublicError(409, 'built_in_role', 'This role is built in and stays as it is')
}

export default fp(async (fastify) => {
  const { db, audit } = fastify
  fastify.decorate('roles', createRoles(db, audit))
}, { name: 'roles', fastify: '5.x', dependencies: ['audit', 'database'] })
