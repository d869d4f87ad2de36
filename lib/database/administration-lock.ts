import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Makes the transaction wait until no other is changing who may do what, and others wait for it: what it finds of roles
 * and of who has them holds until it ends.
 */
export async function lockAdministration (tx: Kysely<Tables>): Promise<void> {
  await tx.insertInto('locks').values({ name: 'administration', taken_at: 0 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ taken_at: 0 })).execute()
}
