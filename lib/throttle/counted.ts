import type { ThrottleBody } from '../../schemas/throttles.ts'
import { toTime } from '../user.ts'
import type { RuleName } from './rules.ts'

/** A count as operators are shown it. Times are epoch milliseconds. */
export interface CountedThrottle {
  id: string
  rule: RuleName
  userId: string | null
  /** Of the same user. */
  username: string | null
  network: string | null
  failures: number
  /** When the wait is over, if there is one. */
  blockedUntil: number | null
  expiresAt: number
}

/** The same as the API and the command show it. */
export function toThrottleBody ({ id, rule, userId, username, network, failures, blockedUntil, expiresAt }: CountedThrottle): ThrottleBody {
  return {
    id,
    rule,
    user_id: userId,
    username,
    network,
    failures,
    blocked_until: blockedUntil === null ? null : toTime(blockedUntil),
    expires_at: toTime(expiresAt)
  }
}
