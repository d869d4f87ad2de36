import { newAccount } from './model.ts'
import { describe, type Operation } from './operation.ts'
import { findUnexplained, MOST_POSITIONS, type Placed } from './order.ts'

interface Contract {
  /** Everybody's at the beginning. */
  password: string
  /** How long a replica may believe in a session that another one has ended, in milliseconds. */
  heardWithinMs: number
}

/** What no service that keeps its contract would have answered, user by user. */
export function findFaults (history: readonly Operation[], { password, heardWithinMs }: Contract): string[] {
  const byUser = Map.groupBy(history, ({ user }) => user)
  return [...byUser.values()].flatMap((operations) => {
    const { unexplained, gaveUp } = findUnexplained(place(operations, heardWithinMs), newAccount(password))
    const faults = unexplained.map(describe)
    return gaveUp ? [`Nothing is proven: the search gave up after ${MOST_POSITIONS} positions, and came as far as this`, ...faults] : faults
  })
}

/** Everything takes effect between its beginning and its end, but a replica may remember a live session for a while. */
function place (operations: readonly Operation[], heardWithinMs: number): Placed[] {
  return operations.map((operation) => {
    const { act, outcome, invokedAt: from, completedAt: to } = operation
    if (act.kind !== 'use session' || outcome !== 'ok') return { operation, from, to, after: [] }
    return { operation, from: from - heardWithinMs, to, after: ownWritesBefore(operations, operation) }
  })
}

/** The replica that makes a change knows at once. */
function ownWritesBefore (operations: readonly Operation[], { replica, invokedAt }: Operation): Operation[] {
  return operations.filter((operation) => operation.replica === replica && operation.completedAt < invokedAt && isWrite(operation, operations))
}

/** Whether it was this operation, and no other, that ended sessions. */
function isWrite (operation: Operation, operations: readonly Operation[]): boolean {
  const { act, outcome, replica, completedAt } = operation
  if (outcome !== 'ok') return false
  if (act.kind === 'change password' || act.kind === 'reset password') return true
  return act.kind === 'revoke' && !operations.some((other) => other.replica !== replica && other.invokedAt <= completedAt && mayEnd(other, act.session))
}

function mayEnd ({ act, outcome }: Operation, session: string): boolean {
  switch (act.kind) {
    case 'revoke': return act.session === session
    case 'refresh': return act.session === session && outcome !== 'ok'
    case 'change password': return act.session !== session && outcome !== 'refused'
    case 'reset password': return outcome !== 'refused'
    default: return false
  }
}
