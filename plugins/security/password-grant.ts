import fp from 'fastify-plugin'
import { OAuthError } from '../../lib/errors.ts'
import { requireParameter } from '../../lib/form.ts'
import { formatScope, intersectScopes, parseScope } from '../../lib/scopes.ts'
import type { AuditContext } from '../data/audit.ts'
import type { LoginUser } from '../data/users.ts'

/** The resource owner password credentials grant, RFC 6749 section 4.3: a log-in. */
export default fp(async (fastify) => {
  const { config, grants, users, passwords, sessions, passwordHasher, audit, db, log } = fastify

  /** The same work and the same answer, whatever the reason is that nobody may log in. */
  async function authenticate (username: string, password: string, context: AuditContext): Promise<LoginUser & { passwordHash: string }> {
    const user = await users.findForLogin(username)
    const matches = await passwordHasher.verify(user?.passwordHash ?? null, password)
    if (user === undefined || user.passwordHash === null || user.disabledAt !== null || !matches) throw await refuse(wrongCredentials(), user?.id, context)
    if (config.requireVerifiedEmail && user.emailVerifiedAt === null) throw await refuse(unprovenAddress(), user.id, context, 'email_not_verified')
    return { ...user, passwordHash: user.passwordHash }
  }

  /** Records the refusal that the caller is to throw. */
  async function refuse (error: OAuthError, userId: string | undefined, context: AuditContext, reason: string = error.code): Promise<OAuthError> {
    await audit.record(db, { type: 'login', outcome: 'failure', ...(userId !== undefined && { userId }), details: { error: reason } }, context)
    return error
  }

  /** The log-in goes on when there is no time for a new hash. */
  async function upgradeHash (userId: string, stored: string, password: string): Promise<void> {
    if (!passwordHasher.isOutdated(stored)) return
    try {
      await passwords.upgradeHash(userId, stored, await passwordHasher.hash(password.normalize('NFC')))
    } catch (error) {
      log.warn(error, 'A password hash with outdated settings could not be replaced')
    }
  }

  grants.set('password', async ({ form, client, context }) => {
    const username = requireParameter(form, 'username')
    const password = requireParameter(form, 'password')
    const requested = form.scope === undefined ? undefined : parseScope(form.scope)

    const user = await authenticate(username, password, context)
    const granted = intersectScopes(requested ?? user.scopes, user.scopes)
    if (granted.length === 0) throw await refuse(new OAuthError('invalid_scope', 'None of the requested scopes is allowed'), user.id, context)

    await upgradeHash(user.id, user.passwordHash, password)
    const scope = formatScope(granted)
    const session = await sessions.open({ userId: user.id, passwordVersion: user.passwordVersion, clientId: client.id, scope }, context)
    // Meanwhile the user was disabled or the password changed.
    if (session === undefined) throw await refuse(wrongCredentials(), user.id, context)
    return { userId: user.id, sessionId: session.id, generation: 0, scope, authenticatedAt: session.createdAt }
  })
}, { name: 'password-grant', fastify: '5.x', dependencies: ['audit', 'config', 'database', 'grants', 'password-hasher', 'passwords', 'sessions', 'users'] })

function wrongCredentials (): OAuthError {
  return new OAuthError('invalid_grant', 'Wrong username or password')
}

// Who is told this knows the password already.
function unprovenAddress (): OAuthError {
  return new OAuthError('invalid_grant', 'Verify your e-mail address first: use the link that was mailed to it')
}
