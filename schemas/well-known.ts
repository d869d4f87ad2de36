import { Type } from '@sinclair/typebox'

/** JWK Set, RFC 7517 section 5, of public keys for signatures. */
export const JwksSchema = Type.Object({
  keys: Type.Array(Type.Object({
    kty: Type.String({ description: 'Key type', examples: ['EC'] }),
    kid: Type.String({ description: 'RFC 7638 thumbprint; the `kid` in the header of a token' }),
    use: Type.Literal('sig'),
    alg: Type.String({ examples: ['ES256'] }),
    crv: Type.Optional(Type.String({ examples: ['P-256'] })),
    x: Type.Optional(Type.String()),
    y: Type.Optional(Type.String()),
    n: Type.Optional(Type.String()),
    e: Type.Optional(Type.String())
  }, { title: 'PublicKey' }))
}, { title: 'KeySet' })

/** Authorization server metadata, RFC 8414 section 2. */
export const MetadataSchema = Type.Object({
  issuer: Type.String({ format: 'uri', description: 'The `iss` of access tokens' }),
  token_endpoint: Type.String({ format: 'uri' }),
  revocation_endpoint: Type.String({ format: 'uri' }),
  jwks_uri: Type.String({ format: 'uri' }),
  scopes_supported: Type.Array(Type.String()),
  grant_types_supported: Type.Array(Type.String()),
  token_endpoint_auth_methods_supported: Type.Array(Type.String()),
  revocation_endpoint_auth_methods_supported: Type.Array(Type.String()),
  service_documentation: Type.Optional(Type.String({ format: 'uri' }))
}, { title: 'AuthorizationServerMetadata' })
