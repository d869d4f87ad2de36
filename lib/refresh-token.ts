import type { Vault } from './vault.ts'

/** What a refresh token says: nothing but where its session stands. */
export interface RefreshTokenContent {
  /** UUID. */
  sessionId: string
  /** Counts the rotations of the session, from 0. */
  generation: number
}

export interface RefreshTokens {
  issue (content: RefreshTokenContent): string
  /** Undefined unless the text is, to the letter, a token that was issued under one of the secrets. */
  read (token: string): RefreshTokenContent | undefined
}

const PREFIX = 'lkr_'
const ID_BYTES = 16
const CONTENT_BYTES = ID_BYTES + 6
const MAC_BYTES = 32
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/

/**
 * Refresh tokens are `lkr_` + base64url(session id, generation, HMAC-SHA256 over both). The same
 * generation always has the same token, so none has to be stored and a lost one can be given again.
 */
export function createRefreshTokens (vault: Pick<Vault, 'sign' | 'verify'>): RefreshTokens {
  return {
    issue ({ sessionId, generation }) {
      const content = Buffer.alloc(CONTENT_BYTES)
      content.write(sessionId.replaceAll('-', ''), 'hex')
      content.writeUIntBE(generation, ID_BYTES, 6)
      return PREFIX + Buffer.concat([content, vault.sign(content)]).toString('base64url')
    },

    read (token) {
      if (!token.startsWith(PREFIX)) return undefined
      const text = token.slice(PREFIX.length)
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length !== CONTENT_BYTES + MAC_BYTES || bytes.toString('base64url') !== text) return undefined
      const content = bytes.subarray(0, CONTENT_BYTES)
      if (!vault.verify(content, bytes.subarray(CONTENT_BYTES))) return undefined
      return {
        sessionId: content.toString('hex', 0, ID_BYTES).replace(UUID, '$1-$2-$3-$4-$5'),
        generation: content.readUIntBE(ID_BYTES, 6)
      }
    }
  }
}
