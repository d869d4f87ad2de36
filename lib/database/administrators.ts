import type { Kysely } from 'kysely'
import { PublicError } from '../errors.ts'
import { lockAdministration } from './administration-lock.ts'
import type { Tables } from './tables.ts'

/** The code of the error that keeps one. */
export const LAST_ADMINISTRATOR = 'last_administrator'

/** Who holds these can give every right back to somebody. */
const POWERS = ['users:write', 'roles:write']

/**
 * Does the work unless it takes away the last administrator: an enabled user who may write users and roles.
 *
 * @throws PublicError `last_administrator` (409); the transaction is to be rolled back
 */
export async function keepAdministrator<Result> (tx: Kysely<Tables>, work: () => Promise<Result>): Promise<Result> {
  await lockAdministration(tx) // otherwise two who take away one each would not know of each other
  const wasThere = await hasAdministrator(tx)
  const result = await work()
  if (wasThere && !await hasAdministrator(tx)) throw new PublicError(409, LAST_ADMINISTRATOR, 'The last administrator has to stay one')
  return result
}

async function hasAdministrator (tx: Kysely<Tables>): Promise<boolean> {
  const roles = await tx.selectFrom('roles').select(['name', 'scopes']).execute()
  let administrators = tx.selectFrom('users').select('id').where('disabled_at', 'is', null).where('demo_at', 'is', null)
  for (const power of POWERS) {
    const names = roles.filter(({ scopes }) => scopes.split(' ').includes(power)).map(({ name }) => name)
    administrators = administrators.where('id', 'in', (query) => query.selectFrom('user_roles').select('user_id').where('role', 'in', names))
  }
  return await administrators.limit(1).executeTakeFirst() !== undefined
}
