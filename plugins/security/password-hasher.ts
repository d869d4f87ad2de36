import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import fp from 'fastify-plugin'
import { createHashQueue } from '../../lib/hash-queue.ts'
import { normalizePassword } from '../../lib/password-policy.ts'
import { needsRehash, parseArgon2Hash } from '../../lib/phc.ts'

export interface PasswordHasher {
  /**
   * Makes an argon2id hash (RFC 9106) in PHC form with the current settings.
   *
   * @param password normalized
   * @throws UnavailableError when the queue is full
   */
  hash (password: string): Promise<string>
  /**
   * Costs one hash whatever is stored: also for null (no such user, or one without a password),
   * for a stored text that is no acceptable hash, and for a password that nobody can have.
   *
   * @throws UnavailableError when the queue is full
   */
  verify (stored: string | null, password: string): Promise<boolean>
  /** Whether a stored hash was made with other settings than the current ones. */
  isOutdated (stored: string): boolean
}

declare module 'fastify' {
  interface FastifyInstance {
    passwordHasher: PasswordHasher
  }
}

const ARGON2ID = 2

export default fp(async (fastify) => {
  const { config, log } = fastify
  const { memoryKib, timeCost, parallelism } = config.argon2
  const settings = { algorithm: ARGON2ID, memoryCost: memoryKib, timeCost, parallelism }
  const queue = createHashQueue({
    concurrency: config.hashConcurrency,
    maxWaitMs: config.hashQueueMs,
    now: () => performance.now()
  })

  const makeHash = async (password: string): Promise<string> => await queue.run(async () => await hash(password, settings))

  // Nobody knows its password. Making it also tells the queue how long a hash takes here.
  const dummy = await makeHash(randomBytes(32).toString('base64url'))

  function acceptable (stored: string | null): string | undefined {
    if (stored === null) return undefined
    if (parseArgon2Hash(stored) !== undefined) return stored
    log.error('A stored password hash is malformed or costs too much; its user can not log in')
    return undefined
  }

  fastify.decorate('passwordHasher', {
    hash: makeHash,

    async verify (stored, password) {
      const usable = acceptable(stored)
      const normalized = normalizePassword(password)
      const matches = await queue.run(async () => await verify(usable ?? dummy, normalized ?? ''))
      return matches && usable !== undefined && normalized !== undefined
    },

    isOutdated (stored) {
      const parsed = parseArgon2Hash(stored)
      return parsed !== undefined && needsRehash(parsed, config.argon2)
    }
  })
}, { name: 'password-hasher', fastify: '5.x', dependencies: ['config'] })
