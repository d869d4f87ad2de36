/** The attempts at one counter that are not over yet, or whose failure could not be counted. */
interface Attempts {
  /** Nobody knows how they end. */
  running: number
  /** They have failed, and are not counted yet. */
  failed: number
}

/** The place of an attempt among others at the same counters. */
export interface Reservation {
  /**
   * Whether there is room for it beside those that had begun before, so that all of them together stay within what is free.
   * Where there was no failure lately, there is room for all: good passwords need not wait for each other.
   *
   * @param failures that are counted; they are to be read after it has begun
   */
  hasRoom (key: string, failures: number, free: number): boolean
  /** It is not about these counters after all. */
  leave (keys: readonly string[]): void
  /** It has failed: the count of it is on its way. */
  fail (): void
  /** Its failure is counted. */
  counted (): void
  /** It is over. A failure that could not be counted keeps its place for `OWED_MS`. */
  end (): void
}

/** What this process is doing at each counter; nothing is kept of a counter at which nothing is done. */
export interface InFlight {
  /** Takes a place at once, so that whoever begins later sees it. */
  begin (keys: readonly string[]): Reservation
  /** How many have failed and ended so far, at any counter. Whoever read counters when there were fewer may not know all that they count. */
  readonly failures: number
  readonly size: number
}

/** How long a failure that could not be counted is remembered here instead, in milliseconds. */
export const OWED_MS = 60_000

const NOTHING: Attempts = { running: 0, failed: 0 }

export function createInFlight ({ now }: { now: () => number }): InFlight {
  const attempts = new Map<string, Attempts>()
  const owed: Array<{ since: number, keys: readonly string[] }> = []
  let failures = 0

  const at = (key: string): Attempts => attempts.get(key) ?? NOTHING

  function add (keys: readonly string[], kind: keyof Attempts, count: number): void {
    for (const key of keys) {
      const changed = { ...at(key), [kind]: at(key)[kind] + count }
      if (changed.running + changed.failed === 0) attempts.delete(key)
      else attempts.set(key, changed)
    }
  }

  function forgetOwed (): void {
    const first = owed.findIndex(({ since }) => Math.abs(now() - since) < OWED_MS)
    for (const { keys } of owed.splice(0, first === -1 ? owed.length : first)) add(keys, 'failed', -1)
  }

  return {
    begin (keys) {
      forgetOwed()
      // What is counted later than that, and ends, may be in what is read or not.
      const before = new Map(keys.map((key) => [key, at(key)]))
      let mine = keys
      let kind: keyof Attempts = 'running'
      let isCounted = false
      add(mine, kind, 1)

      const leave = (left: readonly string[]): void => {
        add(left, kind, -1)
        mine = mine.filter((key) => !left.includes(key))
      }
      return {
        hasRoom (key, failures, free) {
          const { running, failed } = before.get(key) as Attempts // it has begun there
          return failures + failed === 0 || running + failed < Math.max(free - failures, 1)
        },
        leave,
        fail () {
          add(mine, kind, -1)
          kind = 'failed'
          add(mine, kind, 1)
        },
        counted () {
          isCounted = true
        },
        end () {
          if (kind === 'failed') failures++
          if (kind === 'failed' && !isCounted) owed.push({ since: now(), keys: mine })
          else add(mine, kind, -1)
          mine = []
        }
      }
    },

    get failures () { return failures },
    get size () { return attempts.size }
  }
}
