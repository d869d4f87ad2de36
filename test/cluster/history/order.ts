import { hash } from 'node:crypto'
import { step, type Account } from './model.ts'
import type { Operation } from './operation.ts'

/** When an operation can have taken effect. */
export interface Placed {
  operation: Operation
  from: number
  to: number
  /** What took effect before it, whatever the times say. */
  after: readonly Operation[]
}

export interface Search {
  /** Where it came furthest. */
  unexplained: Operation[]
  /** There may be an order that it has not tried. */
  gaveUp: boolean
}

/** Where there is an order, it is found after far fewer; where there is none, there may be no end of what can be tried. */
export const MOST_POSITIONS = 20_000

const isAnswered = ({ operation }: Placed): boolean => operation.outcome !== 'unknown'

/**
 * Looks for an order of one user's operations that explains all answers: each takes effect at one instant between its
 * beginning and its end, and what nobody has answered at some later time or never (Wing and Gong's search, as Lowe has it).
 * If there is one, nothing is left unexplained.
 */
export function findUnexplained (history: readonly Placed[], account: Account): Search {
  const tried = new Set<string>()
  const numbers = new Map(history.map((placed, index) => [placed, index]))
  let furthest: { left: number, stuck: Operation[] } = { left: Infinity, stuck: [] }

  function search (pending: readonly Placed[], state: Account): boolean {
    const rest = withoutObservers(pending, state)
    const left = rest.filter(isAnswered).length
    if (left === 0) return true
    const position = hash('sha1', `${rest.map((placed) => numbers.get(placed)).join()} ${JSON.stringify(state)}`)
    if (tried.has(position) || tried.size === MOST_POSITIONS) return false
    tried.add(position)

    const candidates = candidatesOf(rest)
    if (left < furthest.left) furthest = { left, stuck: candidates.filter(isAnswered).map(({ operation }) => operation) }
    return candidates.some((placed) => {
      const next = step(state, placed.operation)
      return next !== undefined && next !== state && search(rest.filter((other) => other !== placed), next)
    })
  }

  if (search(history, account)) return { unexplained: [], gaveUp: false }
  return { unexplained: furthest.stuck, gaveUp: tried.size === MOST_POSITIONS }
}

/** Those that can be next, because none that is left had ended before they began; the answered ones first. */
function candidatesOf (pending: readonly Placed[]): Placed[] {
  const firstEnd = Math.min(...pending.map(({ to }) => to))
  const begun = pending.filter(({ from, after }) => from <= firstEnd && !pending.some(({ operation }) => after.includes(operation)))
  return [...begun.filter(isAnswered), ...begun.filter((placed) => !isAnswered(placed))]
}

/** What is explained now and changes nothing stands in nobody's way. */
function withoutObservers (pending: readonly Placed[], state: Account): readonly Placed[] {
  for (let rest = pending; ;) {
    const observers = new Set(candidatesOf(rest).filter((placed) => isAnswered(placed) && step(state, placed.operation) === state))
    if (observers.size === 0) return rest
    rest = rest.filter((placed) => !observers.has(placed))
  }
}
