/** Somebody who waits. */
export interface Waiting {
  /** The network that he comes from, which shares its places. */
  network: string
  /** Whether the account that it is about was used from this network before. */
  isKnown: boolean
  start: () => void
}

/**
 * Two lines. Strangers are never served before those known who came earlier, and take turns with those who came later: a flood
 * of them is not in the way of who logs in at home, and neither are a few of these in theirs.
 */
export interface WaitingLines {
  enter (entry: Waiting): void
  leave (entry: Waiting): void
  /** Takes out who is next. */
  next (): Waiting | undefined
  /** Whether somebody from there may enter, if that many turns are the longest wait. */
  hasPlace (caller: Pick<Waiting, 'network' | 'isKnown'>, longest: number): boolean
  readonly size: number
}

/** By the number of their arrival. */
type Line = Map<Waiting, number>

// The rest is kept for those who are known. A stranger may have to wait for as many others again, who overtake.
const STRANGERS_SHARE = 0.5

export function createWaitingLines (): WaitingLines {
  const known: Line = new Map()
  const strangers: Line = new Map()
  const waitingOf = new Map<string, number>()
  let arrivals = 0
  let wasOvertaken = false

  const size = (): number => known.size + strangers.size

  function leave (entry: Waiting): void {
    known.delete(entry)
    strangers.delete(entry)
    const left = (waitingOf.get(entry.network) as number) - 1
    if (left > 0) waitingOf.set(entry.network, left)
    else waitingOf.delete(entry.network)
  }

  function choose (): Waiting | undefined {
    const [first] = known
    const [stranger] = strangers
    if (first === undefined || stranger === undefined) return (first ?? stranger)?.[0]
    if (first[1] < stranger[1]) return first[0]
    wasOvertaken = !wasOvertaken
    return wasOvertaken ? first[0] : stranger[0]
  }

  return {
    enter (entry) {
      const line = entry.isKnown ? known : strangers
      line.set(entry, arrivals++)
      waitingOf.set(entry.network, (waitingOf.get(entry.network) ?? 0) + 1)
    },

    leave,

    next () {
      const next = choose()
      if (next !== undefined) leave(next)
      return next
    },

    // No network can hold more places than it leaves free: one fills half of them, two a third each.
    hasPlace ({ network, isKnown }, longest) {
      const free = isKnown ? longest - known.size - Math.min(known.size, strangers.size) : longest * STRANGERS_SHARE - size()
      return (waitingOf.get(network) ?? 0) < free
    },

    get size () { return size() }
  }
}
