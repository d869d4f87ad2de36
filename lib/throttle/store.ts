import type { Db } from '../database/database.ts'
import type { Counter } from './keys.ts'
import type { CounterState, Rule, RuleName } from './rules.ts'

/** A counter as it is stored. Times are epoch milliseconds. */
export interface StoredThrottle extends CounterState {
  key: string
  rule: RuleName
  /** Whom it is about, if there is such a user. */
  userId: string | null
  /** Where it came from, if that is counted. */
  network: string | null
  /** From then on it counts for nothing. */
  expiresAt: number
}

/** One more, or undefined where it was not counted. */
export type Counted = CounterState | undefined

/** A counter whose wait is over, as it was seen. */
export interface Claim {
  key: string
  rule: Rule
  anchoredAt: number
}

/**
 * Where the counters are. What is forgotten may still be read: the rule tells. Those that live in the database take part in
 * the transaction of the caller; others don't care about it.
 */
export interface ThrottleStore {
  /** The states of those that are there. No more than `MOST_READ` of them are asked for at a time. */
  read (keys: readonly string[]): Promise<ReadonlyMap<string, CounterState>>
  find (tx: Db, key: string): Promise<StoredThrottle | undefined>
  /**
   * Counts one more at each, and resolves to the states after that, in the same order. With `most` nothing is counted, and
   * the state is undefined, where that many are counted already.
   */
  count (tx: Db, counters: readonly Counter[], most?: number): Promise<Counted[]>
  /** The same before there is a transaction; undefined where it has to be counted in one. */
  countAhead (counters: readonly Counter[]): Promise<Counted[] | undefined>
  /**
   * Lets all waits begin anew, or none of them if one has since it was seen; resolves to which. Of all processes that saw
   * the same, one alone gets it.
   */
  claim (claims: readonly Claim[]): Promise<boolean>
  /** What counts now, by key, from the one that follows `after`. */
  list (filter: { userId?: string }, page: { limit?: number, after?: string }): Promise<StoredThrottle[]>
  /** These resolve to how many there were. */
  remove (tx: Db, keys: readonly string[]): Promise<number>
  removeOfUser (tx: Db, userId: string): Promise<number>
  removeOfNetwork (tx: Db, network: string): Promise<number>
  removeAll (tx: Db): Promise<number>
}

/** As many counters as one log-in has. */
export const MOST_READ = 5
