import { createHash, randomBytes } from 'node:crypto'
import fp from 'fastify-plugin'
import type { OneTimeTokenRow } from '../../lib/database/tables.ts'
import type { Db } from './database.ts'

export type TokenPurpose = 'password_reset' | 'invitation' | 'email_verification' | 'email_change'

/** What a mailed token is bound to. */
export interface TokenSubject {
  userId: string
  /** The address that the mail goes to. */
  email: string | null
  /** The version of the password now; another one makes the token void. */
  passwordVersion: number
}

export interface OneTimeTokens {
  /** Makes a token; earlier ones of the same user and purpose are void from now on. */
  issue (tx: Db, purpose: TokenPurpose, subject: TokenSubject, lifetimeMs: number): Promise<string>
  /** Looks at the token without using it up. Resolves to undefined where `take` would. */
  find (db: Db, purpose: TokenPurpose, token: string): Promise<TokenSubject | undefined>
  /** Uses the token up. Resolves to undefined if it is unknown, was used, is too old or for another purpose. */
  take (tx: Db, purpose: TokenPurpose, token: string): Promise<TokenSubject | undefined>
  /** Makes all tokens of the user void. */
  revoke (tx: Db, userId: string): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    oneTimeTokens: OneTimeTokens
  }
}

const TOKEN_BYTES = 32
const SUBJECT_COLUMNS = ['user_id', 'email', 'password_version'] as const

export function createOneTimeTokens ({ now }: { now: () => number }): OneTimeTokens {
  return {
    async issue (tx, purpose, { userId, email, passwordVersion }, lifetimeMs) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      const row = {
        hash: digest(token),
        purpose,
        user_id: userId,
        email,
        password_version: passwordVersion,
        created_at: now(),
        expires_at: now() + lifetimeMs
      }
      await tx.insertInto('one_time_tokens').values(row)
        .onConflict((conflict) => conflict.columns(['user_id', 'purpose']).doUpdateSet(row)).execute()
      return token
    },

    async find (db, purpose, token) {
      const row = await db.selectFrom('one_time_tokens').select(SUBJECT_COLUMNS)
        .where('hash', '=', digest(token)).where('purpose', '=', purpose).where('expires_at', '>', now())
        .executeTakeFirst()
      return row && toSubject(row)
    },

    async take (tx, purpose, token) {
      const row = await tx.deleteFrom('one_time_tokens')
        .where('hash', '=', digest(token)).where('purpose', '=', purpose).where('expires_at', '>', now())
        .returning(SUBJECT_COLUMNS).executeTakeFirst()
      return row && toSubject(row)
    },

    async revoke (tx, userId) {
      await tx.deleteFrom('one_time_tokens').where('user_id', '=', userId).execute()
    }
  }
}

function toSubject (row: Pick<OneTimeTokenRow, typeof SUBJECT_COLUMNS[number]>): TokenSubject {
  return { userId: row.user_id, email: row.email, passwordVersion: row.password_version }
}

// A random token needs no slow hash: it can't be guessed, and its digest leads nowhere.
function digest (token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('oneTimeTokens', createOneTimeTokens({ now: () => clock.now() }))
}, { name: 'one-time-tokens', fastify: '5.x', dependencies: ['clock'] })
