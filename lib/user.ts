import type { UserBody } from '../schemas/users.ts'
import { BoundedMap } from './bounded-map.ts'

/** A user without anything secret. Times are epoch milliseconds. */
export interface User {
  id: string
  username: string
  email: string | null
  emailVerifiedAt: number | null
  fullName: string | null
  disabledAt: number | null
  roles: string[]
  createdAt: number
  updatedAt: number
  lastLoginAt: number | null
}

/** A user as the API and the command show one. */
export function toUserBody (user: User): UserBody {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.emailVerifiedAt !== null,
    full_name: user.fullName,
    disabled: user.disabledAt !== null,
    roles: user.roles,
    created_at: toTime(user.createdAt),
    updated_at: toTime(user.updatedAt),
    last_login_at: user.lastLoginAt === null ? null : toTime(user.lastLoginAt)
  }
}

// Writing a time costs more than finding it, and the same few are asked for again and again.
const times = new BoundedMap<number, string>(10_000)

/** RFC 3339 in UTC. */
export function toTime (epochMs: number): string {
  const known = times.get(epochMs)
  if (known !== undefined) return known
  const time = new Date(epochMs).toISOString()
  times.set(epochMs, time)
  return time
}
