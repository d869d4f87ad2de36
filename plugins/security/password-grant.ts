import fp from 'fastify-plugin'
import { OAuthError } from '../../lib/errors.ts'
import { requireParameter } from '../../lib/form.ts'
import type { Caller } from '../../lib/hash-queue.ts'
import { networkOf } from '../../lib/network.ts'
import { formatScope, intersectScopes, parseScope } from '../../lib/scopes.ts'
import { slowDownOAuth } from '../../lib/throttle/slow-down.ts'
import type { AuditContext } from '../data/audit.ts'
import type { LoginUser } from '../data/users.ts'
import type { Attempt } from './throttle.ts'

type Account = LoginUser & { passwordHash: string }

/** The resource owner password credentials grant, RFC 6749 section 4.3: a log-in. */
export default fp(async (fastify) => {
  const { config, grants, users, passwords, sessions, passwordHasher, throttle, audit, db, log } = fastify

  /** The same work and the same answer, whatever the reason is that nobody may log in. */
  async function authenticate (user: LoginUser | undefined, password: string, attempt: Attempt, context: AuditContext): Promise<Account> {
    // Where no password counts, a cheap hash that matches must not show by its time that it does.
    const hashThatCounts = (): string | null => user === undefined || isShutOut(user) || attempt.heldUpBy !== undefined ? null : user.passwordHash
    const matches = await passwordHasher.verify(hashThatCounts, password, attempt.caller)
    const passwordHash = hashThatCounts()
    if (user === undefined || passwordHash === null || !matches) throw await refuseAndCount(user?.id, attempt, context)
    if (config.requireVerifiedEmail && user.emailVerifiedAt === null) throw await refuse(unprovenAddress(), user.id, context, 'email_not_verified')
    return { ...user, passwordHash }
  }

  // The start of production disables the demo user, and an administrator may have enabled it again.
  const isShutOut = ({ disabledAt, isDemo }: LoginUser): boolean => disabledAt !== null || (config.production && isDemo)

  /** Records and counts the failure, for which the caller is to throw what is returned. */
  async function refuseAndCount (userId: string | undefined, attempt: Attempt, context: AuditContext): Promise<OAuthError> {
    const { heldUpBy } = attempt
    const details = { error: 'invalid_grant', ...heldUpBy !== undefined && { held_up_by: heldUpBy } }
    await attempt.failed(async (tx) => {
      await audit.record(tx, { type: 'login', outcome: 'failure', ...userId !== undefined && { userId }, details }, context)
    })
    return new OAuthError('invalid_grant', 'Wrong username or password')
  }

  /** Records the refusal that the caller is to throw to somebody who knows the password. */
  async function refuse (error: OAuthError, userId: string, context: AuditContext, reason: string = error.code): Promise<OAuthError> {
    await audit.record(db, { type: 'login', outcome: 'failure', userId, details: { error: reason } }, context)
    return error
  }

  /** The log-in goes on when there is no time for a new hash, which is in nobody's way. */
  async function upgradeHash ({ id, passwordHash }: Account, password: string, { network, signal }: Caller): Promise<void> {
    if (!passwordHasher.isOutdated(passwordHash)) return
    try {
      await passwords.upgradeHash(id, passwordHash, await passwordHasher.hash(password.normalize('NFC'), { network, isKnown: false, ...signal && { signal } }))
    } catch (error) {
      log.warn(error, 'A password hash with outdated settings could not be replaced')
    }
  }

  grants.set('password', async ({ form, client, context, signal }) => {
    const username = requireParameter(form, 'username')
    const password = requireParameter(form, 'password')
    const requested = form.scope === undefined ? undefined : parseScope(form.scope)

    passwordHasher.queue.requireRoom(networkOf(context.ip))
    const found = await users.findForLogin(username)
    return await throttle.attempt({ identifier: username, userId: found?.id, context, signal, refusal: slowDownOAuth }, async (attempt) => {
      const user = await authenticate(found, password, attempt, context)
      const granted = intersectScopes(requested ?? user.scopes, user.scopes)
      if (granted.length === 0) throw await refuse(new OAuthError('invalid_scope', 'None of the requested scopes is allowed'), user.id, context)

      await upgradeHash(user, password, attempt.caller)
      const scope = formatScope(granted)
      const session = await sessions.open({ userId: user.id, passwordVersion: user.passwordVersion, clientId: client.id, scope }, context, attempt.hasEffect ? attempt.succeeded : undefined)
      // Meanwhile the user was disabled or the password changed.
      if (session === undefined) throw await refuseAndCount(user.id, attempt, context)
      return { userId: user.id, sessionId: session.id, generation: 0, scope, authenticatedAt: session.createdAt }
    })
  })
}, { name: 'password-grant', fastify: '5.x', dependencies: ['audit', 'config', 'database', 'grants', 'password-hasher', 'passwords', 'sessions', 'throttle', 'users'] })

// Who is told this knows the password already.
function unprovenAddress (): OAuthError {
  return new OAuthError('invalid_grant', 'Verify your e-mail address first: use the link that was mailed to it, or ask for another one')
}
