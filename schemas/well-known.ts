import { Type } from '@sinclair/typebox'

/** JWK Set, RFC 7517 section 5, of public keys for signatures. */
export const JwksSchema = Type.Object({
  keys: Type.Array(Type.Object({
    kty: Type.String({ description: 'Key type', examples: ['EC'] }),
    kid: Type.String({ description: 'RFC 7638 thumbprint; the `kid` in the header of a token' }),
    use: Type.Literal('sig', { description: 'For signatures only' }),
    alg: Type.String({ description: 'The one algorithm that the key is used with', examples: ['ES256'] }),
    crv: Type.Optional(Type.String({ description: 'Curve (EC, OKP)', examples: ['P-256'] })),
    x: Type.Optional(Type.String({ description: 'Coordinate (EC, OKP)' })),
    y: Type.Optional(Type.String({ description: 'Coordinate (EC)' })),
    n: Type.Optional(Type.String({ description: 'Modulus (RSA)' })),
    e: Type.Optional(Type.String({ description: 'Exponent (RSA)' }))
  }, { title: 'PublicKey' }), { description: 'Keys that sign now, signed lately or will sign soon' })
}, { title: 'KeySet' })

/** Authorization server metadata, RFC 8414 section 2. */
export const MetadataSchema = Type.Object({
  issuer: Type.String({ format: 'uri', description: 'The `iss` of access tokens' }),
  token_endpoint: Type.String({ format: 'uri', description: 'Where to log in and to refresh' }),
  revocation_endpoint: Type.String({ format: 'uri', description: 'Where to log out' }),
  jwks_uri: Type.String({ format: 'uri', description: 'Where the public keys are' }),
  scopes_supported: Type.Array(Type.String(), { description: 'Every scope that there is' }),
  grant_types_supported: Type.Array(Type.String(), { description: 'Values of `grant_type`', examples: [['password', 'refresh_token']] }),
  token_endpoint_auth_methods_supported: Type.Array(Type.String(), { description: 'How clients authenticate: they do not', examples: [['none']] }),
  revocation_endpoint_auth_methods_supported: Type.Array(Type.String(), { description: 'The same when logging out', examples: [['none']] }),
  service_documentation: Type.Optional(Type.String({ format: 'uri', description: 'The page for people' }))
}, { title: 'AuthorizationServerMetadata' })
