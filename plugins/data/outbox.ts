import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import type { OutboxMessage } from '../../lib/outbox-message.ts'
import type { Db } from './database.ts'

/** A message that this process is to send. */
export interface TakenMessage {
  id: string
  message: OutboxMessage
  /** How many times it was taken before. */
  attempts: number
  /** Epoch milliseconds. */
  createdAt: number
}

export interface Outbox {
  /** Writes the message in the transaction of the act that it tells of. */
  add (tx: Db, message: OutboxMessage): Promise<void>
  /**
   * Takes the message that is due for the longest time. It is nobody else's for `leaseMs`; if this process
   * dies meanwhile, it is due again.
   */
  take (leaseMs: number): Promise<TakenMessage | undefined>
  /** Removes a message that was sent, or that nobody will send. */
  remove (id: string): Promise<void>
  /** @param dueAt epoch milliseconds */
  postpone (id: string, dueAt: number): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    outbox: Outbox
  }
}

export function createOutbox (db: Db, { now }: { now: () => number }): Outbox {
  return {
    async add (tx, { kind, ...details }) {
      await tx.insertInto('outbox').values({
        id: uuidv7(),
        kind,
        details: JSON.stringify(details),
        attempts: 0,
        due_at: now(),
        created_at: now()
      }).execute()
    },

    async take (leaseMs) {
      const next = await db.selectFrom('outbox').select(['id', 'due_at']).where('due_at', '<=', now())
        .orderBy('due_at').orderBy('id').limit(1).executeTakeFirst()
      if (next === undefined) return undefined
      const taken = await db.updateTable('outbox')
        .set(({ eb }) => ({ due_at: now() + leaseMs, attempts: eb('attempts', '+', 1) }))
        .where('id', '=', next.id).where('due_at', '=', next.due_at)
        .returning(['kind', 'details', 'attempts', 'created_at']).executeTakeFirst()
      if (taken === undefined) return await this.take(leaseMs) // another process was faster
      const message = { kind: taken.kind, ...JSON.parse(taken.details) as object } as OutboxMessage
      return { id: next.id, message, attempts: taken.attempts - 1, createdAt: taken.created_at }
    },

    async remove (id) {
      await db.deleteFrom('outbox').where('id', '=', id).execute()
    },

    async postpone (id, dueAt) {
      await db.updateTable('outbox').set({ due_at: dueAt }).where('id', '=', id).execute()
    }
  }
}

export default fp(async (fastify) => {
  const { db, clock } = fastify
  fastify.decorate('outbox', createOutbox(db, { now: () => clock.now() }))
}, { name: 'outbox', fastify: '5.x', dependencies: ['clock', 'database'] })
