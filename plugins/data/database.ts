import { existsSync } from 'node:fs'
import fp from 'fastify-plugin'
import { Kysely, type Compilable } from 'kysely'
import { migrate } from '../../lib/database/migrate.ts'
import { openSqlite } from '../../lib/database/sqlite-connection.ts'
import { openSqliteReader } from '../../lib/database/sqlite-reader.ts'
import { bind, type Values } from '../../lib/database/prepared.ts'
import { createSqliteDialect } from '../../lib/database/sqlite-dialect.ts'
import { remember, type Find, type FindKnown } from '../../lib/remember.ts'
import type { Tables } from '../../lib/database/tables.ts'
import { isExposed, readOrCreateSecret, secretPathFor } from '../../lib/service-secret.ts'

export type Db = Kysely<Tables>

/** Runs a query for one row that was compiled once with new values. */
export type PreparedRead<Row> = (values: Values) => Row | undefined | Promise<Row | undefined>

/** For the reads of every request. */
export type PrepareRead = <Row>(query: Compilable<Row>) => PreparedRead<Row>

/** Remembers what was found in the database until anything in it changes. */
export type RememberRead = <Value>(find: Find<Value>) => FindKnown<Value>

const REMEMBERED_READS = 10_000

/** What repositories are made of. */
export interface Database {
  db: Db
  prepareRead: PrepareRead
  rememberRead: RememberRead
}

declare module 'fastify' {
  interface FastifyInstance extends Database {
    /** The service secrets: those of the settings, or the one beside the SQLite file. */
    secrets: readonly string[]
    /** @throws UnavailableError if the database can't be read */
    pingDatabase: () => Promise<void>
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
  fastify.decorate('pingDatabase', async () => { reader.first('select name from roles limit 1', []) })
  fastify.decorate('backupDatabase', (target) => { reader.backup(target) })
  fastify.decorate('prepareRead', <Row>(query: Compilable<Row>) => {
    const compiled = query.compile()
    return (values: Values) => reader.first<Row>(compiled.sql, bind(compiled, values))
  })
  fastify.decorate('rememberRead', <Value>(find: Find<Value>) => remember(find, reader.version, REMEMBERED_READS))
}, { name: 'database', fastify: '5.x', dependencies: ['config'] })
