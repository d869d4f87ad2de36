/** Lets callers leave in groups: soon while there is no hurry, and each after a while of its own while there is. */
export interface Pace {
  /** Gives what makes the caller wait no longer, and never go. */
  pass (go: () => void): () => void
  /** Lets all go who wait, and from now on everybody at once. */
  stop (): void
}

interface PaceOptions {
  /** How much of a core was needed since it was asked last: from 0 to 1. */
  busyShare: () => number
  /** Milliseconds of a steady clock. */
  now: () => number
  /** From 0 to 1. */
  random: () => number
}

/** All whose wait ends between two of these moments leave at the second one: to wake for each would take longer than what it does. */
const LEAVE_EVERY_MS = 10
/** More than this is a hurry. */
const BUSY_SHARE = 0.65
const MEASURED_OVER_MS = 250
/** On average: each waits between nothing and twice as long, so that those who came together do not leave together. */
const FIRST_DELAY_MS = 20
const LONGEST_DELAY_MS = 500
const HALVED_AFTER_MS = 2000

type Group = Set<() => void>

/** The wait doubles for as long as the hurry lasts, and passes with it. */
export function createPace ({ busyShare, now, random }: PaceOptions): Pace {
  const leavingAt = new Map<number, Group>()
  let measuredAt = now()
  let delayMs = 0
  let isStopped = false

  function adapt (): void {
    const elapsed = now() - measuredAt
    if (elapsed < MEASURED_OVER_MS) return
    measuredAt += elapsed
    if (busyShare() > BUSY_SHARE) delayMs = Math.min(Math.max(2 * delayMs, FIRST_DELAY_MS), LONGEST_DELAY_MS)
    else delayMs *= 0.5 ** (elapsed / HALVED_AFTER_MS)
    if (delayMs < FIRST_DELAY_MS / 2) delayMs = 0
  }

  function openGroup (moment: number): Group {
    const group: Group = new Set()
    leavingAt.set(moment, group)
    setTimeout(() => { leave(moment, group) }, moment - now())
    return group
  }

  function leave (moment: number, group: Group): void {
    leavingAt.delete(moment)
    for (const go of group) {
      group.delete(go)
      go()
    }
  }

  return {
    pass (go) {
      adapt()
      const moment = Math.ceil((now() + 2 * delayMs * random()) / LEAVE_EVERY_MS) * LEAVE_EVERY_MS
      const group = leavingAt.get(moment) ?? openGroup(moment)
      group.add(go)
      if (isStopped) leave(moment, group)
      return () => { group.delete(go) }
    },

    stop () {
      isStopped = true
      for (const [moment, group] of leavingAt) leave(moment, group)
    }
  }
}
