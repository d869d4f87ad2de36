import {
  PostgresAdapter, PostgresQueryCompiler, sql,
  type CompiledQuery, type DatabaseConnection, type DatabaseIntrospector, type DataTypeNode, type Dialect, type Driver, type Kysely, type QueryResult
} from 'kysely'
import type { Pool, PoolClient, QueryConfig } from 'pg'
import { databaseUnavailable } from './errors.ts'
import { isConnectionFault, translate } from './postgres-errors.ts'
import { retryConflicts } from './postgres-retry.ts'
import type { PreparedQuery } from './prepared.ts'

interface SessionOptions {
  /** What begins a transaction. */
  begin: string
  /** Whether a statement that was prepared on a connection is there when it is used again. */
  keepsStatements: boolean
}

/** Kysely on a pool of connections. */
export function createPostgresDialect (pool: Pool, options: SessionOptions): Dialect {
  return {
    createDriver: () => new PostgresDriver(pool, options),
    createAdapter: () => new Adapter(),
    createQueryCompiler: () => new QueryCompiler(),
    createIntrospector: (db) => createIntrospector(db)
  }
}

// Any number that no other program uses will do.
const MIGRATION_LOCK = 7_301_944_820_115

class Adapter extends PostgresAdapter {
  // The lock of a transaction, because a pooler may give each transaction another session.
  override async acquireMigrationLock (db: Kysely<unknown>): Promise<void> {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)}::bigint)`.execute(db)
  }

  override async releaseMigrationLock (): Promise<void> {}
}

class QueryCompiler extends PostgresQueryCompiler {
  // Text is compared and sorted by its bytes, as SQLite does, whatever the language of the server is.
  protected override visitDataType (node: DataTypeNode): void {
    super.visitDataType(node)
    if (node.dataType === 'text') this.append(' collate "C"')
  }
}

/** Tells the migrator which tables are there, in our schema and not in those of others. */
function createIntrospector (db: Kysely<unknown>): DatabaseIntrospector {
  return {
    getSchemas: async () => [],
    getTables: async () => {
      const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.tables where table_schema = current_schema()`.execute(db)
      return rows.map(({ name }) => ({ name, isView: false, isForeign: false, columns: [] }))
    }
  }
}

class Caller implements DatabaseConnection {
  readonly #client: PoolClient
  readonly #options: SessionOptions
  #isInTransaction = false
  #isBroken = false
  /** What went wrong first: in a transaction everything after it fails, and would only say so. */
  #fault: unknown

  constructor (client: PoolClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
  }

  async executeQuery<Row> (query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#isInTransaction ? await this.#run(query) : await retryConflicts(async () => await this.#run(query))
  }

  async #run<Row> ({ sql, parameters, name }: CompiledQuery & Partial<PreparedQuery>): Promise<QueryResult<Row>> {
    const { rows, rowCount } = await this.#send({ text: sql, values: [...parameters], ...this.#options.keepsStatements && { name } })
    return { rows: rows as Row[], numAffectedRows: BigInt(rowCount ?? 0) }
  }

  async #send (query: string | QueryConfig) {
    try {
      return await this.#client.query(query)
    } catch (error) {
      if (isConnectionFault(error)) this.#isBroken = true
      this.#fault ??= translate(error)
      throw this.#fault
    }
  }

  async * streamQuery<Row> (query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery(query)
  }

  async begin (): Promise<void> {
    await this.#send(this.#options.begin)
    this.#isInTransaction = true
  }

  async commit (): Promise<void> {
    const { command } = await this.#send('commit')
    this.#isInTransaction = false
    if (command === 'ROLLBACK') throw this.#fault // that is what the server makes of it after a fault, even if somebody caught it
  }

  /** On a connection that does not answer, the end of the connection does it. */
  async rollback (): Promise<void> {
    if (!this.#isBroken) await this.#send('rollback')
    this.#isInTransaction = false
  }

  release (): void {
    this.#client.release(this.#isBroken || this.#isInTransaction)
  }
}

class PostgresDriver implements Driver {
  readonly #pool: Pool
  readonly #options: SessionOptions

  constructor (pool: Pool, options: SessionOptions) {
    this.#pool = pool
    this.#options = options
  }

  async init (): Promise<void> {}

  async acquireConnection (): Promise<Caller> {
    try {
      return new Caller(await this.#pool.connect(), this.#options)
    } catch (cause) {
      throw databaseUnavailable({ cause }) // whatever it is, it may pass
    }
  }

  async releaseConnection (caller: Caller): Promise<void> {
    caller.release()
  }

  async beginTransaction (caller: Caller): Promise<void> {
    await caller.begin()
  }

  async commitTransaction (caller: Caller): Promise<void> {
    await caller.commit()
  }

  async rollbackTransaction (caller: Caller): Promise<void> {
    await caller.rollback()
  }

  async destroy (): Promise<void> {
    await this.#pool.end()
  }
}
