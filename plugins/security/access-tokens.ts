import fastifyJwt from '@fastify/jwt'
import { createSigner } from 'fast-jwt'
import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import { checkClaims, checkHeader, isCurrent, type AccessTokenClaims } from '../../lib/access-token.ts'
import { BoundedMap } from '../../lib/bounded-map.ts'
import { InvalidTokenError, parseCompactJws, UnknownKeyError } from '../../lib/compact-jws.ts'
import type { RingKey } from './key-ring.ts'

/** What an access token says of its session. */
export interface AccessTokenSubject {
  userId: string
  sessionId: string
  clientId: string
  scope: string
  /** Epoch milliseconds. */
  authenticatedAt: number
}

export interface AccessTokens {
  /** Signs a JWT of type `at+jwt`, RFC 9068. */
  issue (subject: AccessTokenSubject): string
  /** @throws InvalidTokenError unless the token is ours, in force, and its key still believed */
  verify (token: string): VerifiedClaims
  /** The same, but where the key is unknown, looks first whether another process has just made it. */
  verifyLatest (token: string): VerifiedClaims | Promise<VerifiedClaims>
}

export interface VerifiedClaims extends AccessTokenClaims {
  /** The members of `scope`. */
  scopes: readonly string[]
}

declare module 'fastify' {
  interface FastifyInstance {
    accessTokens: AccessTokens
  }
}

interface Verified {
  token: string
  kid: string
  claims: VerifiedClaims
}

type Sign = (payload: Record<string, unknown>) => string

export const REMEMBERED_TOKENS = 10_000
const REMEMBERED_SIGNERS = 4

export default fp(async (fastify) => {
  const { config, keyRing, clock } = fastify
  const expected = { issuer: config.publicUrl, audience: config.tokenAudience }
  const verified = new BoundedMap<string, Verified>(REMEMBERED_TOKENS)
  const signers = new BoundedMap<string, Sign>(REMEMBERED_SIGNERS)

  // The library only checks signatures, with the key that it is given for each. Its `request.jwtVerify`
  // finds no key: it would ask for none of the claims that make a text an access token.
  await fastify.register(fastifyJwt, {
    secret: (_request, _token, done) => { done(new Error('Use accessTokens.verify'), undefined) }
  })

  function signerOf ({ kid, alg, privatePem }: RingKey): Sign {
    const known = signers.get(kid)
    if (known !== undefined) return known
    const sign: Sign = createSigner({ key: privatePem, algorithm: alg, kid, header: { alg, typ: 'at+jwt' } })
    signers.set(kid, sign)
    return sign
  }

  function verifySignature (token: string): Verified {
    const { header, payload } = parseCompactJws(token)
    const { kid, alg } = checkHeader(header)
    const key = keyRing.find(kid)
    if (key === undefined) throw new UnknownKeyError('the key is unknown')
    if (key.alg !== alg) throw new InvalidTokenError('the key is of another algorithm')
    try {
      fastify.jwt.verify(token, { key: key.publicPem, algorithms: [key.alg], ignoreExpiration: true })
    } catch {
      throw new InvalidTokenError('the signature is wrong')
    }
    const claims = checkClaims(payload, expected)
    return { token, kid, claims: { ...claims, scopes: claims.scope.split(' ') } }
  }

  // What is remembered is that this very text was signed by that key, and nothing that time can change.
  // It is found by its signature, the shortest part that tells tokens apart, and compared as a whole.
  function verifyOnce (token: string): Verified {
    const signature = token.slice(token.lastIndexOf('.'))
    const known = verified.get(signature)
    if (known?.token === token) return known
    const fresh = verifySignature(token)
    verified.set(signature, fresh)
    return fresh
  }

  async function verifyWithNewKeys (token: string): Promise<VerifiedClaims> {
    await keyRing.lookAgain()
    return accessTokens.verify(token)
  }

  const accessTokens: AccessTokens = {
    issue ({ userId, sessionId, clientId, scope, authenticatedAt }) {
      const issuedAt = Math.floor(clock.now() / 1000)
      return signerOf(keyRing.current())({
        iss: expected.issuer,
        sub: userId,
        aud: expected.audience,
        exp: issuedAt + config.accessTokenTtl,
        iat: issuedAt,
        jti: uuidv7(),
        client_id: clientId,
        scope,
        sid: sessionId,
        auth_time: Math.floor(authenticatedAt / 1000)
      })
    },

    verify (token) {
      const { kid, claims } = verifyOnce(token)
      if (!isCurrent(claims, clock.now() / 1000)) throw new InvalidTokenError('the token is not in force')
      if (keyRing.find(kid) === undefined) throw new InvalidTokenError('the key is not believed any more')
      return claims
    },

    verifyLatest (token) {
      try {
        return accessTokens.verify(token)
      } catch (error) {
        if (!(error instanceof UnknownKeyError)) throw error
        return verifyWithNewKeys(token)
      }
    }
  }
  fastify.decorate('accessTokens', accessTokens)
}, { name: 'access-tokens', fastify: '5.x', dependencies: ['clock', 'config', 'key-ring'] })
