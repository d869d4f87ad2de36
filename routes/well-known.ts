import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JWKS_MAX_AGE } from '../lib/key-schedule.ts'
import { ALL_SCOPES } from '../lib/scopes.ts'
import { OAuthErrorSchema } from '../schemas/errors.ts'
import { ALLOW, MAY_BE_KEPT } from '../schemas/headers.ts'
import { JwksSchema, MetadataSchema } from '../schemas/well-known.ts'

const METADATA_URL = '/oauth-authorization-server'
const CACHE_CONTROL = `public, max-age=${JWKS_MAX_AGE}`

const routes: FastifyPluginAsyncTypebox = async (fastify) => {
  const { config, keyRing, grants } = fastify
  const errors = {
    '4xx': { description: 'Another method than GET', headers: ALLOW, ...OAuthErrorSchema },
    '5xx': { description: 'Something went wrong here', ...OAuthErrorSchema }
  }

  fastify.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', CACHE_CONTROL).removeHeader('pragma').removeHeader('vary')
    reply.header('cross-origin-resource-policy', 'cross-origin')
    // A shared cache must not give one origin the answer that allows another.
    if (config.corsOrigins.length > 0) reply.header('vary', 'Origin')
  })

  fastify.get('/jwks.json', {
    config: { public: true, oauth: true },
    schema: {
      operationId: 'readKeySet',
      summary: 'The public keys',
      description: 'With these any JWT library checks our access tokens. A new key is here for ten minutes before it signs, so keep the set for up to five minutes and read it again when a token names a key that is not in it.',
      tags: ['Discovery'],
      security: [],
      response: { 200: { description: 'JWK Set, RFC 7517', headers: MAY_BE_KEPT, ...JwksSchema }, ...errors }
    }
  }, async () => ({ keys: keyRing.trusted().map(({ publicJwk }) => publicJwk) }))

  // RFC 8414 section 3.1: the path of an issuer that has one comes last.
  const issuerPath = new URL(config.publicUrl).pathname.replace(/\/$/, '')
  for (const url of new Set([METADATA_URL, METADATA_URL + issuerPath])) {
    fastify.get(url, {
      config: { public: true, oauth: true },
      schema: {
        operationId: 'readMetadata',
        hide: url !== METADATA_URL,
        summary: 'Where everything is',
        description: 'OAuth client libraries configure themselves from this.',
        tags: ['Discovery'],
        security: [],
        response: { 200: { description: 'Authorization server metadata, RFC 8414', headers: MAY_BE_KEPT, ...MetadataSchema }, ...errors }
      }
    }, async () => ({
      issuer: config.publicUrl,
      token_endpoint: `${config.publicUrl}/token`,
      revocation_endpoint: `${config.publicUrl}/revoke`,
      jwks_uri: `${config.publicUrl}/.well-known/jwks.json`,
      scopes_supported: [...ALL_SCOPES],
      grant_types_supported: [...grants.keys()],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
      ...(config.docs && { service_documentation: `${config.publicUrl}/docs` })
    }))
  }
}

export const autoPrefix = '/.well-known'

export default routes
