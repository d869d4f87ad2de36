import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import { newUserRow } from '../../lib/database/user-rows.ts'
import { PublicError } from '../../lib/errors.ts'
import type { Email } from '../../lib/identifiers.ts'
import type { Audit, AuditContext } from './audit.ts'
import type { Db } from './database.ts'
import type { MailLimits } from './mail-limits.ts'

/** Who signs up. */
export interface Registrant {
  /** Canonical. */
  username: string
  email: Email
  fullName: string | null
  passwordHash: string
}

export interface Registration {
  /**
   * Makes a user whose address is not proven. If the address has a user already, nobody is made and only the
   * mail tells: the caller gets the same answer after the same statements. An address that has had its share gets no mail.
   *
   * @throws PublicError `username_taken` (409), or `slow_down` (429) when the network has asked for too many mails
   */
  signUp (registrant: Registrant, context: AuditContext): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    registration: Registration
  }
}

type Outcome = 'signed_up' | 'email_taken' | 'username_taken'

interface Parts {
  db: Db
  audit: Audit
  mailLimits: MailLimits
}

export function createRegistration ({ db, audit, mailLimits }: Parts, { now }: { now: () => number }): Registration {
  async function insert (tx: Db, id: string, { username, email, fullName, passwordHash }: Registrant): Promise<Outcome> {
    await tx.insertInto('users').values(newUserRow({
      id,
      at: now(),
      username,
      email: email.address,
      email_key: email.canonical,
      full_name: fullName,
      password_hash: passwordHash
    })).onConflict((conflict) => conflict.doNothing()).execute()
    const owner = await tx.selectFrom('users').select('id').where('username', '=', username).executeTakeFirst()
    if (owner === undefined) return 'email_taken'
    return owner.id === id ? 'signed_up' : 'username_taken'
  }

  return {
    async signUp (registrant, context) {
      const id = uuidv7()
      const outcome = await db.transaction().execute(async (tx) => {
        const outcome = await insert(tx, id, registrant)
        if (outcome === 'signed_up') {
          await audit.record(tx, { type: 'user_signed_up', outcome: 'success', userId: id }, context)
          await mailLimits.owe(tx, 'email_verification', registrant.email, context.ip)
        } else {
          await audit.record(tx, { type: 'user_signed_up', outcome: 'failure', details: { error: outcome } }, context)
          if (outcome === 'email_taken') await mailLimits.owe(tx, 'address_in_use', registrant.email, context.ip)
          else await mailLimits.countRequest(tx, context.ip)
        }
        return outcome
      })
      if (outcome === 'username_taken') throw new PublicError(409, 'username_taken', 'The username is taken')
    }
  }
}

export default fp(async (fastify) => {
  const { clock } = fastify
  fastify.decorate('registration', createRegistration(fastify, { now: () => clock.now() }))
}, { name: 'registration', fastify: '5.x', dependencies: ['audit', 'clock', 'database', 'mail-limits'] })
