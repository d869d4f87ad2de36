import type { Random } from './random.ts'

/** What clients know of a session; what they do not know of its end they find out. */
export interface KnownSession {
  id: string
  accessTokens: string[]
  /** Oldest first. */
  refreshTokens: string[]
}

/** What clients know of a user. Several clients act for each. */
export interface Person {
  username: string
  /** Of the last good answer. */
  password: string
  /** All that it may be or may have been. */
  passwords: string[]
  sessions: KnownSession[]
  /** Sessions of which nobody has been refused anything yet. */
  live: Set<KnownSession>
  links: string[]
}

export function newPerson (username: string, password: string): Person {
  return { username, password, passwords: [password], sessions: [], live: new Set(), links: [] }
}

const NEWEST = 0.7
const LIVE = 0.75

/** Mostly what should be good, sometimes what was. */
export function pickPassword ({ password, passwords }: Person, random: Random): string {
  return random.chance(NEWEST) ? password : random.pick(passwords.slice(-3))
}

export function pickSession ({ sessions, live }: Person, random: Random): KnownSession {
  return random.pick(live.size > 0 && random.chance(LIVE) ? [...live] : sessions)
}

export function pickRefreshToken ({ refreshTokens }: KnownSession, random: Random): string {
  if (random.chance(NEWEST)) return refreshTokens.at(-1) as string
  return random.chance(0.5) ? refreshTokens.at(-2) ?? refreshTokens[0] as string : random.pick(refreshTokens)
}

export function pickLink ({ links }: Person, random: Random): string {
  return random.chance(NEWEST) ? links.at(-1) as string : random.pick(links)
}
