import { existsSync } from 'node:fs'
import fp from 'fastify-plugin'
import type { Config } from '../../lib/config.ts'
import type { Database, DatabaseState, OpenDatabase } from '../../lib/database/database.ts'
import { openSqliteDatabase } from '../../lib/database/open-sqlite.ts'
import { isExposed, readOrCreateSecret, secretPathFor } from '../../lib/service-secret.ts'

export type { Database, Db, PreparedRead, PrepareRead, RememberRead } from '../../lib/database/database.ts'

declare module 'fastify' {
  interface FastifyInstance extends Database {
    /** The service secrets: those of the settings, or the one beside the SQLite file. */
    secrets: readonly string[]
    /** The names of those that this start has applied. */
    appliedMigrations: readonly string[]
    /** @throws UnavailableError if the database can't be read */
    pingDatabase: () => Promise<void>
    databaseState: () => DatabaseState
    /** Writes a consistent copy of the SQLite database to a new file. */
    backupDatabase: (path: string) => void
  }
}

export default fp(async (fastify) => {
  const { config, log } = fastify
  const { database } = config

  // Before the database is there: one without its secret is refused.
  fastify.decorate('secrets', secretsOf(config))
  if (database.engine === 'sqlite') warnIfExposed(secretPathFor(database.path))

  const { applied, db, prepareRead, rememberRead, prepareTogether, ping, state, backup, close } = await open()
  fastify.addHook('onClose', close)
  if (applied.length > 0) log.info({ migrations: applied }, 'The schema is up to date')

  fastify.decorate('db', db)
  fastify.decorate('appliedMigrations', applied)
  fastify.decorate('prepareRead', prepareRead)
  fastify.decorate('rememberRead', rememberRead)
  fastify.decorate('prepareTogether', prepareTogether)
  fastify.decorate('pingDatabase', ping)
  fastify.decorate('databaseState', state)
  fastify.decorate('backupDatabase', backup)

  async function open (): Promise<OpenDatabase> {
    if (database.engine === 'sqlite') return await openSqliteDatabase(database.path)
    const { openPostgresDatabase } = await import('../../lib/database/open-postgres.ts') // without it the driver is not loaded
    return await openPostgresDatabase(database.url, log)
  }

  function warnIfExposed (file: string): void {
    if (existsSync(file) && isExposed(file)) log.warn({ file }, 'The secret file can be read by others; set its mode to 0600')
  }
}, { name: 'database', fastify: '5.x', dependencies: ['config'] })

function secretsOf ({ database, secrets }: Config): readonly string[] {
  return database.engine === 'sqlite' && secrets.length === 0 ? [readOrCreateSecret(database.path)] : secrets
}
