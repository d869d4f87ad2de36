import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

/** Whom the token is about, and what it allows. */
export interface Caller {
  id: string
  /** The same for all tokens of a log-in. */
  session: string
  scopes: string[]
}

type Hook = (request: FastifyRequest) => Promise<void>

declare module 'fastify' {
  interface FastifyInstance {
    /** Builds an onRequest hook: 401 without a valid access token, 403 if a scope is missing. */
    requireScopes (...scopes: string[]): Hook
  }
  interface FastifyRequest {
    caller: Caller
  }
}

export interface AccessTokensOptions {
  /** `PUBLIC_URL` of Latchkey. */
  issuer: string
  /** `TOKEN_AUDIENCE` of Latchkey, by default the issuer. */
  audience: string
  /** Where the keys are, if they are not to be fetched through the public URL. */
  jwksUrl: string
}

// Keys that can't be fetched are not the caller's fault: that is a 500.
const NOT_THE_TOKEN = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID', 'ERR_JWKS_TIMEOUT'])

class BearerError extends Error {
  readonly statusCode: number
  /** RFC 6750 section 3. */
  readonly challenge: string

  constructor (statusCode: number, code?: string, details = '') {
    super(code ?? 'an access token is required')
    this.statusCode = statusCode
    this.challenge = code === undefined ? 'Bearer' : `Bearer error="${code}"${details}`
  }
}

/**
 * Checks tokens without asking anybody: the keys are fetched once, and again when a token names one that is not known.
 * A token is believed until it expires, ten minutes at most. Where a log-out must count at once, ask `/verify`.
 */
export default fp<AccessTokensOptions>(async (fastify, { issuer, audience, jwksUrl }) => {
  const keys = createRemoteJWKSet(new URL(jwksUrl))

  fastify.decorateRequest('caller')

  async function readCaller ({ headers: { authorization } }: FastifyRequest): Promise<Caller> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw new BearerError(401)
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'sid', 'scope', 'exp'] })
      return { id: String(payload.sub), session: String(payload.sid), scopes: String(payload.scope).split(' ') }
    } catch (error) {
      if (error instanceof errors.JOSEError && !NOT_THE_TOKEN.has(error.code)) throw new BearerError(401, 'invalid_token')
      throw error
    }
  }

  fastify.decorate('requireScopes', (...scopes) => async (request) => {
    request.caller = await readCaller(request)
    if (scopes.every((scope) => request.caller.scopes.includes(scope))) return
    throw new BearerError(403, 'insufficient_scope', `, scope="${scopes.join(' ')}"`)
  })

  fastify.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    const { statusCode = 500, message } = error
    if (error instanceof BearerError) reply.header('www-authenticate', error.challenge)
    if (statusCode >= 500) request.log.error(error)
    return reply.code(statusCode).send({ error: statusCode < 500 ? message : 'internal_error' })
  })
}, { name: 'access-tokens', fastify: '5.x' })
