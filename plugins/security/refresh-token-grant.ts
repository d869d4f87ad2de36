import fp from 'fastify-plugin'
import { OAuthError } from '../../lib/errors.ts'
import { requireParameter } from '../../lib/form.ts'
import { formatScope, intersectScopes, parseScope } from '../../lib/scopes.ts'

/** The refresh token grant, RFC 6749 section 6, with rotation as RFC 9700 section 4.14.2 has it. */
export default fp(async (fastify) => {
  const { grants, sessions, refreshTokens } = fastify

  function narrow (requested: string | undefined, original: string[], allowed: readonly string[]): string {
    const wanted = requested === undefined ? original : parseScope(requested)
    if (!wanted.every((scope) => original.includes(scope))) {
      throw new OAuthError('invalid_scope', 'The scope is wider than the one that was granted')
    }
    const granted = intersectScopes(wanted, allowed)
    if (granted.length === 0) throw new OAuthError('invalid_scope', 'None of the requested scopes is allowed')
    return formatScope(granted)
  }

  grants.set('refresh_token', async ({ form, client, context }) => {
    const token = refreshTokens.read(requireParameter(form, 'refresh_token'))
    if (token === undefined) throw invalidToken()
    const session = await sessions.findLive(token.sessionId)
    if (session === undefined || session.clientId !== client.id) throw invalidToken()

    // A refused scope must not cost the caller the token.
    const scope = narrow(form.scope, session.scope.split(' '), session.allowed)
    const generation = await sessions.rotate(session.id, token.generation, context)
    if (generation === undefined) throw invalidToken()
    return { userId: session.user.id, sessionId: session.id, generation, scope, authenticatedAt: session.createdAt }
  })
}, { name: 'refresh-token-grant', fastify: '5.x', dependencies: ['grants', 'refresh-tokens', 'sessions'] })

function invalidToken (): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh token is not valid or has expired')
}
