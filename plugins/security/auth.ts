import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { InvalidTokenError } from '../../lib/compact-jws.ts'
import { ForbiddenError, PublicError } from '../../lib/errors.ts'
import { countHeader } from '../../lib/raw-headers.ts'
import { ProblemSchema } from '../../schemas/errors.ts'
import { INSUFFICIENT_SCOPE_CHALLENGE, INVALID_TOKEN_CHALLENGE } from '../../schemas/headers.ts'
import type { LiveSession } from '../data/sessions.ts'

/** Who sends the request: a live session and what its token may do now. */
export interface Auth {
  session: LiveSession
  /** The token's scopes, cut to what the user's roles allow now. */
  scopes: string[]
}

type AuthHook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scopes that a token needs here; none means that any valid token will do. */
    scopes?: readonly string[]
    /** No token is needed here. */
    public?: true
  }
  interface FastifyInstance {
    /** Set in a scope whose routes are all public, such as that of a third-party plugin. */
    allPublic: boolean
    /**
     * Builds an onRequest hook: 401 unless the request carries a valid access token of a live session,
     * 403 unless every scope was granted.
     */
    authorize (scopes: readonly string[]): AuthHook
  }
  interface FastifyRequest {
    /** There on every route that states its scopes, also when they are refused. */
    auth: Auth
  }
}

// A tab where the space belongs, or nothing after the scheme, is a broken token and not no token.
const BEARER = /^bearer(?=[ \t]|$) *(.*)$/i

/**
 * One line of a route, `config: { scopes: [...] }`, becomes the guard and what the API document says of it.
 * A route that states neither its scopes nor that it is public stops the start.
 */
export default fp(async (fastify) => {
  const { accessTokens, sessions } = fastify

  fastify.decorate('allPublic', false)
  fastify.decorateRequest('auth')

  async function authenticate (request: FastifyRequest): Promise<Auth> {
    const claims = await readToken(request, accessTokens.verifyLatest)
    const session = await sessions.findLive(claims.sid)
    if (session === undefined || session.user.id !== claims.sub || session.clientId !== claims.client_id) throw invalidToken()
    return { session, scopes: claims.scopes.filter((scope) => session.allowed.includes(scope)) }
  }

  fastify.decorate('authorize', (required: readonly string[]) => async (request: FastifyRequest) => {
    request.auth = await authenticate(request)
    if (!required.every((scope) => request.auth.scopes.includes(scope))) throw insufficientScope(required)
  })

  fastify.addHook('onRoute', function (route) {
    const { scopes, public: isPublic } = route.config ?? {}
    if (isPublic === true || this.allPublic) return
    if (scopes === undefined) throw new Error(`${String(route.method)} ${route.url} states neither its scopes nor that it is public`)
    route.onRequest = [fastify.authorize(scopes), ...[route.onRequest ?? []].flat()]
    // While a body came in, the session may have ended. `/verify` asks for no scope and reads no body.
    if (route.method !== 'GET' && route.method !== 'HEAD' && scopes.length > 0) route.preHandler = [fastify.authorize(scopes), ...[route.preHandler ?? []].flat()]
    describeGuard(route, scopes)
  })
}, { name: 'auth', fastify: '5.x', dependencies: ['access-tokens', 'sessions'] })

async function readToken<Claims> (request: FastifyRequest, verify: (token: string) => Claims | Promise<Claims>): Promise<Claims> {
  const { authorization } = request.headers
  // Node keeps the first of several, and the gateway in front may have looked at another one.
  if (authorization !== undefined && countHeader(request.raw.rawHeaders, 'authorization') > 1) throw invalidToken()
  const match = BEARER.exec(authorization ?? '')
  if (match === null) throw noToken()
  try {
    return await verify(match[1] as string)
  } catch (error) {
    if (!(error instanceof InvalidTokenError)) throw error
    request.log.debug({ reason: error.message }, 'The access token is refused')
    throw invalidToken()
  }
}

// RFC 6750 section 3.1: no error code when there were no credentials at all.
function noToken (): PublicError {
  return new PublicError(401, 'unauthorized', 'An access token is required', { 'www-authenticate': 'Bearer realm="latchkey"' })
}

function invalidToken (): PublicError {
  return new PublicError(401, 'invalid_token', 'The access token is not valid or has expired', {
    'www-authenticate': 'Bearer realm="latchkey", error="invalid_token"'
  })
}

/** The answer when the token is valid and does not allow this, RFC 6750 section 3.1. */
export function insufficientScope (required: readonly string[]): ForbiddenError {
  return new ForbiddenError('insufficient_scope', 'The access token does not allow this', required, {
    'www-authenticate': `Bearer realm="latchkey", error="insufficient_scope", scope="${required.join(' ')}"`
  })
}

function describeGuard (route: RouteOptions, scopes: readonly string[]): void {
  route.schema = {
    ...route.schema,
    security: [{ password: scopes }],
    response: {
      401: { description: 'No access token, or one that is not valid (any more)', headers: INVALID_TOKEN_CHALLENGE, ...ProblemSchema },
      403: { description: 'The access token does not allow this', headers: INSUFFICIENT_SCOPE_CHALLENGE, ...ProblemSchema },
      ...route.schema?.response as object
    }
  }
}
