import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import type { AuditEventType } from '../../lib/audit-events.ts'
import { parameter, parameters, prepareStatement } from '../../lib/database/prepared.ts'
import type { SessionRow } from '../../lib/database/tables.ts'
import { endOldest } from '../../lib/database/user-sessions.ts'
import { allScopes, everybodysScopes, rolesOf, scopesOf, toUser, USER_COLUMNS } from '../../lib/database/user-rows.ts'
import type { User } from '../../lib/user.ts'
import type { AuditContext, AuditEvent, PreparedAudit } from './audit.ts'
import type { Database, Db } from './database.ts'

/** A session that is neither revoked nor expired, of a user who is not disabled. */
export interface LiveSession {
  id: string
  clientId: string
  /** What was granted at log-in, separated by spaces. */
  scope: string
  /** Epoch milliseconds. */
  createdAt: number
  /** When it ends if nobody uses it. */
  expiresAt: number
  user: User
  /** What the user's roles allow now. */
  allowed: readonly string[]
}

export interface NewSession {
  userId: string
  /** The version of the password that was verified. */
  passwordVersion: number
  clientId: string
  scope: string
}

export interface Sessions {
  /**
   * Resolves to undefined if meanwhile the user was disabled or the password changed. Of a thousand sessions that the user has, the oldest ends.
   *
   * @param settle runs in the transaction when the session is there
   */
  open (session: NewSession, context: AuditContext, settle?: (tx: Db) => Promise<void>): Promise<{ id: string, createdAt: number } | undefined>
  findLive (id: string): Promise<LiveSession | undefined>
  /**
   * Takes the session from the generation of the presented refresh token to the next one.
   *
   * Resolves to the generation whose refresh token the caller is to have: the next one, or, within the grace
   * after a rotation, the same one again. Resolves to undefined if the session is dead. A token that is older
   * than that was stolen, or its successor was: the session is revoked.
   */
  rotate (id: string, generation: number, context: AuditContext): Promise<number | undefined>
  /** Resolves to false when the session was over already. */
  revoke (id: string, event: AuditEventType, context: AuditContext): Promise<boolean>
}

declare module 'fastify' {
  interface FastifyInstance {
    sessions: Sessions
  }
}

interface SessionSettings {
  /** Milliseconds, as are all of these. */
  sessionIdleMs: number
  sessionMaxMs: number
  refreshGraceMs: number
}

export function createSessions ({ db, prepareRead, rememberRead, prepareTogether }: Database, audit: PreparedAudit, { now }: { now: () => number }, settings: SessionSettings): Sessions {
  const readUnended = prepareRead(db.selectFrom('sessions').innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['sessions.user_id', 'sessions.client_id', 'sessions.scope', 'sessions.created_at as opened_at', 'sessions.expires_at', 'sessions.idle_expires_at'])
    .select(USER_COLUMNS).select([rolesOf, everybodysScopes, scopesOf])
    .where('sessions.id', '=', parameter('id'))
    .where('sessions.revoked_at', 'is', null)
    .where('users.disabled_at', 'is', null))

  // What time does is left out here: it changes without anybody's writing.
  async function readSession (id: string): Promise<LiveSession | undefined> {
    const row = await readUnended({ id })
    return row && {
      id,
      clientId: row.client_id,
      scope: row.scope,
      createdAt: row.opened_at,
      expiresAt: Math.min(row.expires_at, row.idle_expires_at),
      user: toUser(row.user_id, row),
      allowed: allScopes(row)
    }
  }

  const findUnended = rememberRead(readSession, ({ user }) => user.id)

  const writeOpened = prepareTogether({
    change: db.updateTable('users').set({ last_login_at: parameter('at') })
      .where('id', '=', parameter('user_id')).where('password_version', '=', parameter('password_version')).where('disabled_at', 'is', null),
    before: endOldest(db),
    insertions: [{
      into: 'sessions',
      row: parameters<SessionRow>([
        'id', 'user_id', 'client_id', 'scope', 'generation', 'created_at', 'last_used_at', 'rotated_at',
        'idle_expires_at', 'expires_at', 'revoked_at', 'ip', 'user_agent'
      ])
    }, audit.insertion]
  })

  const takeGeneration = prepareStatement(db.updateTable('sessions')
    .set({ generation: parameter('next'), rotated_at: parameter('at'), last_used_at: parameter('at'), idle_expires_at: parameter('idleExpiresAt') })
    .where('id', '=', parameter('id'))
    .where('generation', '=', parameter('generation'))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', parameter('at'))
    .where('idle_expires_at', '>', parameter('at')))

  return {
    async open ({ userId, passwordVersion, clientId, scope }, context, settle) {
      const id = uuidv7()
      const at = now()
      const event: AuditEvent = { type: 'login', outcome: 'success', userId, sessionId: id }
      const values = {
        at,
        password_version: passwordVersion,
        id,
        user_id: userId,
        client_id: clientId,
        scope,
        generation: 0,
        created_at: at,
        last_used_at: at,
        rotated_at: null,
        idle_expires_at: at + settings.sessionIdleMs,
        expires_at: at + settings.sessionMaxMs,
        revoked_at: null,
        ip: context.ip ?? null,
        user_agent: context.userAgent ?? null,
        ...audit.valuesOf(event, context)
      }
      const isOpened = settle === undefined
        ? await writeOpened(db, values)
        : await db.transaction().execute(async (tx) => {
          const isFound = await writeOpened(tx, values)
          if (isFound) await settle(tx)
          return isFound
        })
      if (!isOpened) return undefined
      audit.recorded(event)
      return { id, createdAt: at }
    },

    async findLive (id) {
      const isOver = ({ expiresAt }: LiveSession): boolean => expiresAt <= now()
      let session = await findUnended(id)
      // Not every database tells that a refresh has given it more time.
      if (session !== undefined && isOver(session)) session = await readSession(id)
      return session === undefined || isOver(session) ? undefined : session
    },

    async rotate (id, generation, context) {
      const at = now()
      const next = generation + 1
      const { numAffectedRows } = await takeGeneration(db, { id, generation, next, at, idleExpiresAt: at + settings.sessionIdleMs })
      if (numAffectedRows === 1n) return next

      const session = await db.selectFrom('sessions').select(['generation', 'rotated_at'])
        .where('id', '=', id).where('revoked_at', 'is', null).where('expires_at', '>', at).where('idle_expires_at', '>', at)
        .executeTakeFirst()
      if (session === undefined || generation >= session.generation) return undefined
      // The distance counts in both directions, so that a clock that was set back does not prolong the grace.
      const isGraced = generation === session.generation - 1 && Math.abs(at - (session.rotated_at ?? 0)) <= settings.refreshGraceMs
      if (isGraced) return session.generation
      await this.revoke(id, 'refresh_token_reuse', context)
      return undefined
    },

    async revoke (id, event, context) {
      return await db.transaction().execute(async (tx) => {
        const revoked = await tx.updateTable('sessions').set({ revoked_at: now() })
          .where('id', '=', id).where('revoked_at', 'is', null).returning('user_id').executeTakeFirst()
        if (revoked === undefined) return false
        const outcome = event === 'refresh_token_reuse' ? 'failure' : 'success'
        await audit.record(tx, { type: event, outcome, userId: revoked.user_id, sessionId: id }, context)
        return true
      })
    }
  }
}

export default fp(async (fastify) => {
  const { audit, clock, config } = fastify
  fastify.decorate('sessions', createSessions(fastify, audit, { now: () => clock.now() }, config))
}, { name: 'sessions', fastify: '5.x', dependencies: ['audit', 'clock', 'config', 'database'] })
