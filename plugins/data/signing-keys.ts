import fp from 'fastify-plugin'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'

/** A signing key as it is stored. Times are epoch milliseconds. */
export interface StoredKey {
  kid: string
  alg: string
  /** Encrypted. */
  privateKey: string
  createdAt: number
  activatesAt: number
  revokedAt: number | null
}

export interface SigningKeys {
  list (): Promise<StoredKey[]>
  /**
   * Adds a key if it is still wanted when the other processes that share the database are done with theirs.
   *
   * @param isWanted decides by the keys that are there then
   * @param revokeOthers whether no other key is to be trusted from now on
   */
  add (key: StoredKey, options: { isWanted: (keys: StoredKey[]) => boolean, revokeOthers: boolean }, context: AuditContext): Promise<boolean>
  /** Stores the same key under another encryption. */
  reseal (kid: string, privateKey: string): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    signingKeys: SigningKeys
  }
}

const LOCK = 'signing-keys'

export function createSigningKeys (db: Db, audit: Audit, { now }: { now: () => number }): SigningKeys {
  async function list (from: Db): Promise<StoredKey[]> {
    const rows = await from.selectFrom('signing_keys')
      .select(['kid', 'alg', 'private_key', 'created_at', 'activates_at', 'revoked_at']).orderBy('activates_at').orderBy('kid').execute()
    return rows.map((row) => ({
      kid: row.kid,
      alg: row.alg,
      privateKey: row.private_key,
      createdAt: row.created_at,
      activatesAt: row.activates_at,
      revokedAt: row.revoked_at
    }))
  }

  async function revokeAll (tx: Db): Promise<number> {
    const { numUpdatedRows } = await tx.updateTable('signing_keys').set({ revoked_at: now() }).where('revoked_at', 'is', null).executeTakeFirst()
    return Number(numUpdatedRows)
  }

  return {
    list: async () => await list(db),

    async add (key, { isWanted, revokeOthers }, context) {
      return await db.transaction().execute(async (tx) => {
        await tx.updateTable('locks').set({ taken_at: now() }).where('name', '=', LOCK).execute()
        if (!isWanted(await list(tx))) return false
        const revoked = revokeOthers ? await revokeAll(tx) : undefined
        await tx.insertInto('signing_keys').values({
          kid: key.kid,
          alg: key.alg,
          private_key: key.privateKey,
          created_at: key.createdAt,
          activates_at: key.activatesAt,
          revoked_at: key.revokedAt
        }).execute()
        await audit.record(tx, { type: 'signing_key_rotated', outcome: 'success', details: { kid: key.kid, alg: key.alg, ...revoked !== undefined && { revoked } } }, context)
        return true
      })
    },

    async reseal (kid, privateKey) {
      await db.updateTable('signing_keys').set({ private_key: privateKey }).where('kid', '=', kid).execute()
    }
  }
}

export default fp(async (fastify) => {
  const { db, audit, clock } = fastify
  fastify.decorate('signingKeys', createSigningKeys(db, audit, { now: () => clock.now() }))
}, { name: 'signing-keys', fastify: '5.x', dependencies: ['audit', 'clock', 'database'] })
