import type { Test } from 'tap'
import type { User } from '../../lib/user.ts'
import { createAudit, type AuditContext } from '../../plugins/data/audit.ts'
import { createSessions, type NewSession } from '../../plugins/data/sessions.ts'
import { createSigningKeys, type StoredKey } from '../../plugins/data/signing-keys.ts'
import { createUsers, type LoginUser, type NewUser } from '../../plugins/data/users.ts'
import type { Engine } from './engines.ts'

export const START = Date.UTC(2030, 0, 1)
export const HOUR = 60 * 60 * 1000
export const GRACE = 10_000
export const IDLE = 14 * 24 * HOUR
export const LIFETIME = 90 * 24 * HOUR

/** What a request tells of itself. */
export const CONTEXT: Required<AuditContext> = {
  actorId: 'actor',
  clientId: 'first-party',
  ip: '192.0.2.1',
  userAgent: 'curl/8',
  requestId: 'request'
}

const NOBODY = { actor_id: null, user_id: null, session_id: null, client_id: null, ip: null, user_agent: null, request_id: null, details: null }

/** An audit event as it is stored by an act at the start of the test whose request told nothing of itself, with changes. */
export function event (type: string, changes: Partial<Record<keyof typeof NOBODY | 'at' | 'outcome', string | number>> = {}) {
  return { type, outcome: 'success', at: START, ...NOBODY, ...changes }
}

export const FROM_REQUEST = { actor_id: 'actor', client_id: 'first-party', ip: '192.0.2.1', user_agent: 'curl/8', request_id: 'request' }

/** The repositories on a database of their own whose clock stands until the test moves it. */
export async function openRepositories (t: Test, engine: Engine) {
  const { db, prepareRead, close } = await engine.open(t)
  t.teardown(close)
  const clock = { at: START, now: () => clock.at }
  const audit = createAudit(clock)
  const users = createUsers(db, prepareRead, audit, clock)
  const sessions = createSessions(db, prepareRead, audit, clock, { sessionIdleMs: IDLE, sessionMaxMs: LIFETIME, refreshGraceMs: GRACE })
  const signingKeys = createSigningKeys(db, audit, clock)

  async function login (identifier = 'ada'): Promise<LoginUser> {
    const user = await users.findForLogin(identifier)
    if (user === undefined) throw new Error(`there is no ${identifier}`)
    return user
  }

  /** Opens a session as a log-in that has just verified the password does. */
  async function open (changes: Partial<NewSession> = {}, context: AuditContext = {}): Promise<string> {
    const { id: userId, passwordVersion } = await login()
    const session = await sessions.open({ userId, passwordVersion, clientId: 'first-party', scope: 'profile account', ...changes }, context)
    if (session === undefined) throw new Error('the session was not opened')
    return session.id
  }

  return {
    db,
    clock,
    audit,
    users,
    sessions,
    signingKeys,

    /** What happened, oldest first; without what only made the scene. */
    async events (...except: string[]) {
      const rows = await db.selectFrom('audit_events').selectAll().orderBy('id').execute()
      return rows.filter(({ type }) => !except.includes(type)).map(({ id, ...row }) => row)
    },

    async ada (changes: Partial<NewUser> = {}): Promise<User> {
      return await users.create({ username: 'ada', passwordHash: 'hash', ...changes }, {})
    },

    login,
    open,

    async isLive (sessionId: string): Promise<boolean> {
      return await sessions.findLive(sessionId) !== undefined
    }
  }
}

export function storedKey (kid: string, changes: Partial<StoredKey> = {}): StoredKey {
  return { kid, alg: 'ES256', privateKey: `sealed ${kid}`, createdAt: START, activatesAt: START, revokedAt: null, ...changes }
}
