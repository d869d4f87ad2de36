import { Type, type Static } from '@sinclair/typebox'
import { TIME } from './values.ts'

/** What may be known of a signing key; its public part is in the JWKS. */
export const KeySchema = Type.Object({
  kid: Type.String({ description: 'RFC 7638 thumbprint; the `kid` of tokens and of the JWKS', examples: ['4u0vRxq4Jr3vKkqzH0m5n5cQqk2nJ6w9d8h1s7f3t2E'] }),
  alg: Type.String({ description: 'Its algorithm', examples: ['ES256'] }),
  state: Type.Unsafe<'published' | 'signs' | 'retired'>({ type: 'string', enum: ['published', 'signs', 'retired'], description: '`published` will sign soon, `signs` does, `retired` is believed until its last token has expired', examples: ['signs'] }),
  created_at: Type.String({ ...TIME, description: 'When it was made' }),
  activates_at: Type.String({ ...TIME, description: 'From when on it signs, until a younger one does' })
}, { title: 'SigningKey' })

export type KeyBody = Static<typeof KeySchema>

export const KeyListSchema = Type.Object({
  items: Type.Array(KeySchema, { description: 'The keys whose tokens are believed' })
}, { title: 'SigningKeyList' })

export const KeyRotationSchema = Type.Object({
  immediately: Type.Optional(Type.Boolean({ description: 'For a leaked key: sign with the new key now and refuse all others, and with them every access token that there is', examples: [false] }))
}, { title: 'KeyRotation', additionalProperties: false })
