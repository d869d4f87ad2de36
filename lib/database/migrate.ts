import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { StartupError } from '../errors.ts'
import { migrations } from '../../migrations/index.ts'
import type { Tables } from './tables.ts'

/**
 * Brings the schema up to date in one transaction, so that of two processes that start at once
 * the second finds the work done.
 *
 * @returns the names of the migrations that were applied
 * @throws StartupError if a newer version of the program has migrated the database
 */
export async function migrate (db: Kysely<Tables>): Promise<string[]> {
  return await db.transaction().execute(async (tx) => {
    // With SQLite the transaction is the lock. With PostgreSQL it is none, and two could make the first table.
    await tx.getExecutor().adapter.acquireMigrationLock(tx, { lockTable: '', lockRowId: '' })
    const migrator = new Migrator({ db: tx, provider: { getMigrations: async () => migrations } })
    const { error, results = [] } = await migrator.migrateToLatest()
    if (error !== undefined) throw translate(error)
    return results.map(({ migrationName }) => migrationName)
  })
}

function translate (error: unknown): unknown {
  return error instanceof Error && error.message.startsWith('corrupted migrations')
    ? new StartupError('The database was migrated by a newer version of Latchkey; start that version, or restore a backup', { cause: error })
    : error
}
