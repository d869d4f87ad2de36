import fp from 'fastify-plugin'
import { holdUser } from '../../lib/database/user-rows.ts'
import { MAIL_LINKS, type DueMail, type LinkKind } from '../../lib/due-mail.ts'
import { canonicalIdentifier } from '../../lib/identifiers.ts'
import type { OutboxMessage } from '../../lib/outbox-message.ts'
import type { Db } from './database.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'

export interface DueMails {
  /**
   * Finds out what the message amounts to now, and makes the token that it needs. Resolves to undefined if
   * there is nothing to send (any more).
   */
  prepare (message: OutboxMessage): Promise<DueMail | undefined>
}

declare module 'fastify' {
  interface FastifyInstance {
    dueMails: DueMails
  }
}

/** Held, because what is changed meanwhile makes links void. */
type Addressee = NonNullable<Awaited<ReturnType<typeof holdUser>>>

export function createDueMails (db: Db, oneTimeTokens: OneTimeTokens): DueMails {
  async function withLink (tx: Db, kind: LinkKind, user: Addressee | undefined, to = user?.email): Promise<DueMail | undefined> {
    if (user === undefined || user.disabled_at !== null || to === undefined || to === null) return undefined
    const { purpose, lifetimeMs } = MAIL_LINKS[kind]
    const token = await oneTimeTokens.issue(tx, purpose, { userId: user.id, email: to, passwordVersion: user.password_version }, lifetimeMs)
    return { kind, to, username: user.username, token }
  }

  function addressInUse (owner: Addressee | undefined): DueMail | undefined {
    if (owner === undefined || owner.disabled_at !== null || owner.email === null) return undefined
    return { kind: 'address_in_use', to: owner.email, username: owner.username }
  }

  return {
    async prepare (message) {
      return await db.transaction().execute(async (tx) => {
        switch (message.kind) {
          case 'email_verification': {
            const user = await holdByEmail(tx, message.email)
            return user?.email_verified_at === null ? await withLink(tx, message.kind, user) : undefined
          }
          case 'email_change': {
            const owner = await holdByEmail(tx, message.email)
            if (owner !== undefined && owner.id !== message.userId) return addressInUse(owner)
            if (owner !== undefined && owner.email_verified_at !== null) return undefined
            const user = await holdUser(tx, 'id', message.userId)
            // Who asked may have known a password that was replaced for that reason.
            return user?.password_version === message.passwordVersion && user.email === message.insteadOf ? await withLink(tx, message.kind, user, message.email) : undefined
          }
          case 'password_reset':
            return await withLink(tx, message.kind, await holdByEmail(tx, message.email))
          case 'password_reset_by_admin':
          case 'invitation':
            return await withLink(tx, message.kind, await holdUser(tx, 'id', message.userId))
          case 'email_confirmed': {
            const user = await holdUser(tx, 'id', message.userId)
            return user?.email === message.email ? await withLink(tx, message.kind, user) : undefined
          }
          case 'address_in_use':
            return addressInUse(await holdByEmail(tx, message.email))
          default:
            return { kind: message.kind, to: message.email, username: message.username }
        }
      })
    }
  }
}

async function holdByEmail (tx: Db, email: string): Promise<Addressee | undefined> {
  const key = canonicalIdentifier(email)
  return key && await holdUser(tx, 'email_key', key.value)
}

export default fp(async (fastify) => {
  const { db, oneTimeTokens } = fastify
  fastify.decorate('dueMails', createDueMails(db, oneTimeTokens))
}, { name: 'due-mails', fastify: '5.x', dependencies: ['database', 'one-time-tokens'] })
