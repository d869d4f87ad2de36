import { setTimeout as sleep } from 'node:timers/promises'
import { createTurns } from '../turns.ts'
import { databaseUnavailable } from './errors.ts'
import type { SqliteConnection, SqliteResult } from './sqlite-connection.ts'
import { isBusy } from './sqlite-errors.ts'

/**
 * Callers take turns on the one connection that writes, and who waits does not block the event loop.
 * What is written within one turn of the event loop goes to the disk together, because one commit costs
 * as much as many changes; every caller goes on only when its own are there.
 */
export interface SqliteWriter {
  /** Runs a statement that stands for itself; resolves when what it wrote or saw is on the disk. */
  execute (sql: string, parameters: readonly unknown[], isRead: boolean): Promise<SqliteResult>
  /** Resolves when it is the caller's turn, which lasts until the transaction ends. */
  begin (): Promise<SqliteTransaction>
  close (): Promise<void>
}

export interface SqliteTransaction {
  run (sql: string, parameters: readonly unknown[]): SqliteResult
  /** Resolves when the changes are on the disk. */
  commit (): Promise<void>
  rollback (): void
}

/** What is committed together. */
interface Group {
  committed: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
}

// How long a request may wait for its turn and for a writer in another process, in milliseconds.
const WAIT_BUDGET_MS = 2000
const RETRY_EVERY_MS = 20

/** @param beforeCommit is called right before changes go to the disk */
export function createSqliteWriter (connection: SqliteConnection, beforeCommit: () => void): SqliteWriter {
  const takeTurn = createTurns()
  let group: Group | undefined

  async function runWithin (deadline: number, sql: string, parameters: readonly unknown[] = []): Promise<SqliteResult> {
    while (true) {
      try {
        return connection.run(sql, parameters)
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error
        await sleep(RETRY_EVERY_MS)
      }
    }
  }

  async function join (deadline: number): Promise<Group> {
    if (group !== undefined) return group
    // All who waited behind a locked file give up together: each try blocks the event loop for a moment.
    if (performance.now() > deadline) throw databaseUnavailable()
    // Who begins by reading could find, when he first writes, that another process wrote meanwhile.
    await runWithin(deadline, 'begin immediate')
    const { promise: committed, resolve, reject } = Promise.withResolvers<void>()
    committed.catch(() => {}) // nobody waits for it if all who joined have rolled back
    setImmediate(endGroup)
    return (group = { committed, resolve, reject })
  }

  async function endGroup (): Promise<void> {
    const endTurn = await takeTurn()
    try {
      commit()
    } finally {
      endTurn()
    }
  }

  function commit (): void {
    const ending = group
    if (ending === undefined) return
    try {
      beforeCommit()
      connection.run('commit', [])
      group = undefined
      ending.resolve()
    } catch (error) {
      failAll(ending, error)
    }
  }

  function failAll (failed: Group, error: unknown): void {
    group = undefined
    failed.reject(error)
    if (connection.isInTransaction()) connection.run('rollback', [])
  }

  /** At some faults SQLite rolls back by itself: then all who joined have failed. */
  function runIn (joined: Group, sql: string, parameters: readonly unknown[] = []): SqliteResult {
    if (joined !== group) throw databaseUnavailable()
    try {
      return connection.run(sql, parameters)
    } catch (error) {
      if (!connection.isInTransaction()) failAll(joined, error)
      throw error
    }
  }

  function undo (joined: Group): void {
    try {
      runIn(joined, 'rollback to member')
      runIn(joined, 'release member')
    } catch (error) {
      failAll(joined, error) // half an act must not be committed with the others
    }
  }

  return {
    async execute (sql, parameters, isRead) {
      const deadline = performance.now() + WAIT_BUDGET_MS
      const endTurn = await takeTurn()
      let joined: Group | undefined
      let result: SqliteResult
      try {
        joined = isRead ? group : await join(deadline)
        result = joined === undefined ? await runWithin(deadline, sql, parameters) : runIn(joined, sql, parameters)
      } finally {
        endTurn()
      }
      await joined?.committed
      return result
    },

    async begin () {
      const deadline = performance.now() + WAIT_BUDGET_MS
      const endTurn = await takeTurn()
      try {
        const joined = await join(deadline)
        runIn(joined, 'savepoint member')
        return createTransaction(joined, endTurn)
      } catch (error) {
        endTurn()
        throw error
      }
    },

    async close () {
      const endTurn = await takeTurn()
      commit()
      connection.close()
      endTurn()
    }
  }

  function createTransaction (joined: Group, endTurn: () => void): SqliteTransaction {
    return {
      run: (sql, parameters) => runIn(joined, sql, parameters),

      async commit () {
        runIn(joined, 'release member')
        endTurn()
        await joined.committed
      },

      rollback () {
        try {
          if (joined === group) undo(joined)
        } finally {
          endTurn()
        }
      }
    }
  }
}
