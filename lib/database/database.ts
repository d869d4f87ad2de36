import type { Compilable, Kysely } from 'kysely'
import type { Find, FindKnown, MemoryBounds } from '../remember.ts'
import type { Values } from './prepared.ts'
import type { Tables } from './tables.ts'
import type { Opening, WriteTogether } from './together.ts'

export type Db = Kysely<Tables>

/** Runs a query for one row that was compiled once with new values. */
export type PreparedRead<Row> = (values: Values) => Row | undefined | Promise<Row | undefined>

/** For the reads of every request. */
export type PrepareRead = <Row>(query: Compilable<Row>) => PreparedRead<Row>

/**
 * Remembers what was found in the database until it changes there.
 *
 * @param ownerOf gives the id of the user whom a value is about; without it every change counts
 */
export type RememberRead = <Value>(find: Find<Value>, ownerOf?: (value: Value) => string) => FindKnown<Value>

/** What repositories are made of. */
export interface Database {
  db: Db
  prepareRead: PrepareRead
  rememberRead: RememberRead
  /** Compiles what a log-in writes. */
  prepareTogether: (opening: Opening) => WriteTogether
}

/** How a database is doing; SQLite knows neither connections nor changes that it could miss. */
export interface DatabaseState {
  /** Connections that serve requests now. */
  usedConnections: number
  /** Requests that wait for a connection. */
  waitingRequests: number
  /** Whether changes are heard, so that what was read is remembered. */
  hearsChanges: boolean
}

/** A database whose schema is up to date. */
export interface OpenDatabase extends Database {
  /** The names of the migrations that were applied now. */
  applied: string[]
  /** @throws UnavailableError if the database can't be read */
  ping: () => Promise<void>
  state: () => DatabaseState
  /**
   * Writes a consistent copy to a new file.
   *
   * @throws StartupError if the file exists or can't be written, or if this database is copied by other means
   */
  backup: (path: string) => void
  close: () => Promise<void>
}

/** The owner of what no user owns. */
export const ofNobody = (): undefined => undefined

/** How much is remembered, and after how long a change that is not announced, such as a new log-in, shows at the latest. */
export const REMEMBERED: MemoryBounds = { size: 10_000, maxAgeMs: 30_000, now: () => performance.now() }
