import {
  SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler,
  type CompiledQuery, type DatabaseConnection, type Dialect, type Driver, type QueryResult
} from 'kysely'
import type { SqliteConnection } from './sqlite-connection.ts'
import { createSqliteWriter, type SqliteTransaction, type SqliteWriter } from './sqlite-writer.ts'

/**
 * Kysely on the one connection that writes.
 *
 * @param beforeCommit is called right before changes go to the disk
 */
export function createSqliteDialect (connection: SqliteConnection, beforeCommit: () => void = () => {}): Dialect {
  return {
    createDriver: () => new SqliteDriver(createSqliteWriter(connection, beforeCommit)),
    createAdapter: () => new Adapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db)
  }
}

class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl (): boolean { return true }
  // The writer hands out turns itself, because what is done in them is committed together.
  override get supportsMultipleConnections (): boolean { return true }
}

class Caller implements DatabaseConnection {
  readonly #writer: SqliteWriter
  #transaction: SqliteTransaction | undefined

  constructor (writer: SqliteWriter) {
    this.#writer = writer
  }

  async executeQuery<Row> ({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = this.#transaction === undefined
      ? await this.#writer.execute(sql, parameters, query.kind === 'SelectQueryNode')
      : this.#transaction.run(sql, parameters)
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
  }

  async * streamQuery<Row> (query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery(query)
  }

  async begin (): Promise<void> {
    this.#transaction = await this.#writer.begin()
  }

  async commit (): Promise<void> {
    await this.#transaction?.commit()
    this.#transaction = undefined
  }

  rollback (): void {
    this.#transaction?.rollback()
    this.#transaction = undefined
  }
}

class SqliteDriver implements Driver {
  readonly #writer: SqliteWriter

  constructor (writer: SqliteWriter) {
    this.#writer = writer
  }

  async init (): Promise<void> {}

  async acquireConnection (): Promise<Caller> {
    return new Caller(this.#writer)
  }

  async releaseConnection (): Promise<void> {}

  async beginTransaction (caller: Caller): Promise<void> {
    await caller.begin()
  }

  async commitTransaction (caller: Caller): Promise<void> {
    await caller.commit()
  }

  async rollbackTransaction (caller: Caller): Promise<void> {
    caller.rollback()
  }

  async destroy (): Promise<void> {
    await this.#writer.close()
  }
}
