import fp from 'fastify-plugin'
import { parameter, parameters, prepareStatement } from '../../lib/database/prepared.ts'
import type { KnownNetworkRow } from '../../lib/database/tables.ts'
import type { Db, PrepareRead } from './database.ts'

/** The networks that users have logged in from: there the guesses of strangers elsewhere hold nobody up. */
export interface KnownNetworks {
  /** When the user logged in from there, to the day, in epoch milliseconds; undefined if never, or too long ago. */
  find (userId: string, network: string): Promise<number | undefined>
  /** The user has logged in from there; of too many networks the one that was not used for longest is forgotten. */
  add (tx: Db, userId: string, network: string): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    knownNetworks: KnownNetworks
  }
}

/** A user has no more known networks. */
export const MOST_NETWORKS = 20
const DAY = 24 * 60 * 60 * 1000
/** A network that was not used for so long is a stranger's again, in milliseconds. */
export const FORGET_NETWORK_MS = 90 * DAY
/** A log-in is remembered again only after so long, in milliseconds: most cost no write. */
export const REMEMBER_AGAIN_MS = DAY

export function createKnownNetworks (db: Db, prepareRead: PrepareRead, { now }: { now: () => number }): KnownNetworks {
  const readNetwork = prepareRead(db.selectFrom('known_networks').select('last_login_at')
    .where('user_id', '=', parameter('user_id')).where('network', '=', parameter('network')))

  const insertNetwork = prepareStatement(db.insertInto('known_networks')
    .values(parameters<KnownNetworkRow>(['user_id', 'network', 'last_login_at']))
    .onConflict((conflict) => conflict.columns(['user_id', 'network']).doUpdateSet(({ ref }) => ({ last_login_at: ref('excluded.last_login_at') }))))

  const removeOldest = prepareStatement(db.deleteFrom('known_networks').where('user_id', '=', parameter('user_id'))
    .where('network', 'not in', (query) => query.selectFrom('known_networks').select('network').where('user_id', '=', parameter('user_id'))
      .orderBy('last_login_at', 'desc').orderBy('network').limit(MOST_NETWORKS)))

  return {
    async find (userId, network) {
      const row = await readNetwork({ user_id: userId, network })
      return row === undefined || row.last_login_at <= now() - FORGET_NETWORK_MS ? undefined : row.last_login_at
    },

    async add (tx, userId, network) {
      await insertNetwork(tx, { user_id: userId, network, last_login_at: now() })
      await removeOldest(tx, { user_id: userId })
    }
  }
}

export default fp(async (fastify) => {
  const { db, prepareRead, clock } = fastify
  fastify.decorate('knownNetworks', createKnownNetworks(db, prepareRead, { now: () => clock.now() }))
}, { name: 'known-networks', fastify: '5.x', dependencies: ['clock', 'database'] })
