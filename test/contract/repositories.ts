import type { Test } from 'tap'
import { createDatabaseThrottles } from '../../lib/database/throttle-store.ts'
import { createThrottleKeys } from '../../lib/throttle/keys.ts'
import type { User } from '../../lib/user.ts'
import { createVault } from '../../lib/vault.ts'
import { createAccounts } from '../../plugins/data/accounts.ts'
import { createAudit, type AuditContext } from '../../plugins/data/audit.ts'
import { createKnownNetworks } from '../../plugins/data/known-networks.ts'
import { createMailLimits } from '../../plugins/data/mail-limits.ts'
import { createOneTimeTokens, type TokenPurpose } from '../../plugins/data/one-time-tokens.ts'
import { createOutbox } from '../../plugins/data/outbox.ts'
import { createPasswords } from '../../plugins/data/passwords.ts'
import { createRecovery } from '../../plugins/data/recovery.ts'
import { createRegistration } from '../../plugins/data/registration.ts'
import { createSessions, type NewSession } from '../../plugins/data/sessions.ts'
import { createSigningKeys, type StoredKey } from '../../plugins/data/signing-keys.ts'
import { createThrottleAdministration } from '../../plugins/data/throttle-administration.ts'
import { createThrottles } from '../../plugins/data/throttles.ts'
import { createUsers, type LoginUser, type NewUser } from '../../plugins/data/users.ts'
import { SECRET } from '../helper.ts'
import type { Engine } from './engines.ts'

export const START = Date.UTC(2030, 0, 1)
export const HOUR = 60 * 60 * 1000
export const GRACE = 10_000
export const IDLE = 14 * 24 * HOUR
export const LIFETIME = 90 * 24 * HOUR

/** What a request tells of itself. */
export const CONTEXT: Required<AuditContext> = {
  actorId: 'actor',
  sessionId: 'session',
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

export const FROM_REQUEST = { actor_id: 'actor', session_id: 'session', client_id: 'first-party', ip: '192.0.2.1', user_agent: 'curl/8', request_id: 'request' }

/** The repositories on a database of their own whose clock stands until the test moves it. */
export async function openRepositories (t: Test, engine: Engine) {
  const database = await engine.open(t)
  const { db, prepareRead, close, openThrottles = (clock) => createDatabaseThrottles(database, clock) } = database
  t.teardown(close)
  const clock = { at: START, now: () => clock.at }
  const audit = createAudit(db, clock)
  const users = createUsers(db, prepareRead, audit, clock)
  const sessions = createSessions(database, audit, clock, { sessionIdleMs: IDLE, sessionMaxMs: LIFETIME, refreshGraceMs: GRACE })
  const signingKeys = createSigningKeys(db, audit, clock)
  const accounts = createAccounts({ db, audit, oneTimeTokens: createOneTimeTokens(clock), outbox: createOutbox(db, clock) }, clock)
  const oneTimeTokens = createOneTimeTokens(clock)
  const outbox = createOutbox(db, clock)
  const passwords = createPasswords({ db, audit, oneTimeTokens, outbox }, clock)
  const throttleKeys = createThrottleKeys(createVault([SECRET]).pseudonym)
  const throttles = createThrottles({ db, audit, throttleKeys, store: openThrottles(clock) })
  const throttleAdministration = createThrottleAdministration({ db, audit, throttles }, clock)
  const knownNetworks = createKnownNetworks(db, prepareRead, clock)
  const mailLimits = createMailLimits({ outbox, throttles, throttleKeys }, clock)
  const registration = createRegistration({ db, audit, mailLimits }, clock)
  const recovery = createRecovery({ db, audit, knownNetworks, mailLimits, oneTimeTokens, outbox, passwords, throttles }, clock)

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
    accounts,
    oneTimeTokens,
    outbox,
    passwords,
    throttleKeys,
    throttles,
    throttleAdministration,
    knownNetworks,
    mailLimits,
    registration,
    recovery,

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

    /** The mails that are owed, oldest first. */
    async mails () {
      const rows = await db.selectFrom('outbox').select(['kind', 'details']).orderBy('id').execute()
      return rows.map(({ kind, details }) => ({ kind, ...JSON.parse(details) as object }))
    },

    /** A token as a mail to that address carries it. */
    async mailedToken (purpose: TokenPurpose, email: string | null, identifier = 'ada'): Promise<string> {
      const { id: userId, passwordVersion } = await login(identifier)
      return await db.transaction().execute(async (tx) => await oneTimeTokens.issue(tx, purpose, { userId, email, passwordVersion }, HOUR))
    },

    /** As the operator does. */
    async setPassword (userId: string, hash: string, context: AuditContext): Promise<boolean> {
      return await db.transaction().execute(async (tx) => await passwords.set(tx, { userId, hash }, 'user_password_set', context))
    },

    async isLive (sessionId: string): Promise<boolean> {
      return await sessions.findLive(sessionId) !== undefined
    }
  }
}

export function storedKey (kid: string, changes: Partial<StoredKey> = {}): StoredKey {
  return { kid, alg: 'ES256', privateKey: `sealed ${kid}`, createdAt: START, activatesAt: START, revokedAt: null, ...changes }
}
