import { existsSync } from 'node:fs'
import fp from 'fastify-plugin'
import { Kysely, type CompiledQuery } from 'kysely'
import { migrate } from '../../lib/database/migrate.ts'
import { openSqlite, openSqliteReader } from '../../lib/database/sqlite-connection.ts'
import { createSqliteDialect } from '../../lib/database/sqlite-dialect.ts'
import type { Tables } from '../../lib/database/tables.ts'
import { isExposed, readOrCreateSecret, secretPathFor } from '../../lib/service-secret.ts'

export type Db = Kysely<Tables>

/** Runs a query that was compiled once with new parameters, in the order of their first appearance. */
export type PreparedRead<Row> = (...parameters: Array<string | number>) => Row | undefined | Promise<Row | undefined>

/** For the queries of every request: building one anew costs more than running it. */
export type PrepareRead = <Row>(query: CompiledQuery<Row>) => PreparedRead<Row>

declare module 'fastify' {
  interface FastifyInstance {
    db: Db
    prepareRead: PrepareRead
    /** The service secrets: those of the settings, or the one beside the SQLite file. */
    secrets: readonly string[]
    /** Writes a consistent copy of the database to a new file. */
    backupDatabase: (path: string) => void
  }
}

export default fp(async (fastify) => {
  const { config, log } = fastify
  const path = config.databasePath

  fastify.decorate('secrets', config.secrets.length > 0 ? config.secrets : [readOrCreateSecret(path)])
  if (existsSync(secretPathFor(path)) && isExposed(secretPathFor(path))) {
    log.warn({ file: secretPathFor(path) }, 'The secret file can be read by others; set its mode to 0600')
  }

  const connection = openSqlite(path)
  const reader = openSqliteReader(path)
  const db = new Kysely<Tables>({ dialect: createSqliteDialect(connection, reader.refresh) })
  fastify.addHook('onClose', async () => {
    reader.close()
    await db.destroy()
  })

  const applied = await migrate(db)
  if (applied.length > 0) log.info({ migrations: applied }, 'The schema is up to date')

  fastify.decorate('db', db)
  fastify.decorate('backupDatabase', (target) => { reader.backup(target) })
  fastify.decorate('prepareRead', <Row>({ sql }: CompiledQuery<Row>) =>
    (...parameters: Array<string | number>) => reader.first<Row>(sql, parameters))
}, { name: 'database', fastify: '5.x', dependencies: ['config'] })
