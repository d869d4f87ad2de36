import { setTimeout as sleep } from 'node:timers/promises'
import {
  SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler,
  type CompiledQuery, type DatabaseConnection, type Dialect, type Driver, type QueryResult
} from 'kysely'
import type { SqliteConnection } from './sqlite-connection.ts'
import { databaseUnavailable, isBusy } from './sqlite-errors.ts'

// How long a request may wait for its turn and for a writer in another process, in milliseconds.
const WAIT_BUDGET_MS = 2000
const RETRY_EVERY_MS = 20

/**
 * Kysely on the one connection that writes: callers take turns, and who waits does not block the event loop.
 *
 * @param beforeStatement is called right before each statement runs
 */
export function createSqliteDialect (connection: SqliteConnection, beforeStatement: () => void = () => {}): Dialect {
  return {
    createDriver: () => new SqliteDriver(connection, beforeStatement),
    createAdapter: () => new Adapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db)
  }
}

class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl (): boolean { return true }
  // The driver hands out one at a time itself, because a turn's budget begins before its wait does.
  override get supportsMultipleConnections (): boolean { return true }
}

class Turn implements DatabaseConnection {
  readonly #connection: SqliteConnection
  readonly #beforeStatement: () => void
  readonly #deadline: number
  readonly end: () => void

  constructor (connection: SqliteConnection, beforeStatement: () => void, deadline: number, end: () => void) {
    this.#connection = connection
    this.#beforeStatement = beforeStatement
    this.#deadline = deadline
    this.end = end
  }

  async executeQuery<Row> ({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.run(sql, parameters)
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
  }

  async run (sql: string, parameters: readonly unknown[] = []): Promise<ReturnType<SqliteConnection['run']>> {
    while (true) {
      try {
        this.#beforeStatement()
        return this.#connection.run(sql, parameters)
      } catch (error) {
        if (!isBusy(error) || performance.now() > this.#deadline) throw error
        await sleep(RETRY_EVERY_MS)
      }
    }
  }

  async * streamQuery<Row> (query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery(query)
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  readonly #beforeStatement: () => void
  #lastTurn: Promise<void> = Promise.resolve()

  constructor (connection: SqliteConnection, beforeStatement: () => void) {
    this.#connection = connection
    this.#beforeStatement = beforeStatement
  }

  async init (): Promise<void> {}

  async acquireConnection (): Promise<Turn> {
    const deadline = performance.now() + WAIT_BUDGET_MS
    const previous = this.#lastTurn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#lastTurn = promise
    await previous
    // All who waited behind a locked file give up together: each try blocks the event loop for a moment.
    if (performance.now() > deadline) {
      resolve()
      throw databaseUnavailable()
    }
    return new Turn(this.#connection, this.#beforeStatement, deadline, resolve)
  }

  async releaseConnection (turn: Turn): Promise<void> {
    turn.end()
  }

  // A transaction that began by reading could find, when it first writes, that another process wrote meanwhile.
  async beginTransaction (turn: Turn): Promise<void> {
    await turn.run('begin immediate')
  }

  async commitTransaction (turn: Turn): Promise<void> {
    await turn.run('commit')
  }

  async rollbackTransaction (turn: Turn): Promise<void> {
    if (this.#connection.isInTransaction()) await turn.run('rollback')
  }

  async destroy (): Promise<void> {
    this.#connection.close()
  }
}
