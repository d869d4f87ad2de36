import type { FastifyInstance } from 'fastify'
import type { OutboxMessage } from '../../../lib/outbox-message.ts'
import { createUser } from '../../helper.ts'

export const RESET: OutboxMessage = { kind: 'password_reset', email: 'ada@example.com' }

export const ada = async (app: FastifyInstance) => await createUser(app, { email: 'Ada@example.com' })

/** What is in the outbox. */
export const owed = async (app: FastifyInstance) => await app.db.selectFrom('outbox').selectAll().execute()
