import { randomBytes } from 'node:crypto'
import { hash, verify, type Options } from '@node-rs/argon2'
import fp from 'fastify-plugin'
import type { Config } from '../../lib/config.ts'
import { createHashQueue, type Caller, type HashQueue, type HashQueueOptions } from '../../lib/hash-queue.ts'
import { normalizePassword } from '../../lib/password-policy.ts'
import type { Verify } from '../../lib/password-formats/format.ts'
import { missingCost, needsRehash, type Argon2Hash, type Argon2Settings } from '../../lib/phc.ts'
import { readStoredHash } from '../../lib/stored-hash.ts'

/** On whose behalf a password is checked. */
export interface PasswordCaller extends Caller {
  /** Told the result before anybody else begins; the caller itself goes on later. What it throws is thrown to the caller. */
  checked?: (isRight: boolean) => Promise<void>
}

/** A stored hash, or null for none. */
type Stored = string | null

export interface PasswordHasher {
  /**
   * Makes an argon2id hash (RFC 9106) in PHC form with the current settings.
   *
   * @param password normalized
   * @throws UnavailableError when the queue is full
   */
  hash (password: string, caller?: Caller): Promise<string>
  /**
   * Costs one hash whatever is stored: also for null (no such user, or one without a password),
   * for a stored text that is no acceptable hash, and for a password that nobody can have.
   * A hash that another program made costs what it says, and one more if the password is wrong; one with cheaper settings
   * what is missing to the current ones.
   *
   * @param stored if a function, what it gives when it is the caller's turn
   * @throws UnavailableError when the queue is full
   */
  verify (stored: Stored | (() => Stored), password: string, caller?: PasswordCaller): Promise<boolean>
  /** Whether a stored hash was made with other settings than the current ones, or by another program. */
  isOutdated (stored: string): boolean
  /** What waits in front of it. */
  readonly queue: Pick<HashQueue, 'requireRoom' | 'waiting' | 'watch'>
}

declare module 'fastify' {
  interface FastifyInstance {
    passwordHasher: PasswordHasher
  }
}

const ARGON2ID = 2
const SERVICE: Caller = { network: 'the service itself', isKnown: true }

export default fp(async (fastify) => {
  const { config, log } = fastify
  const settings = optionsOf(config.argon2)
  const queue = createHashQueue({
    ...slotsOf(config),
    maxWaitMs: config.hashQueueMs,
    now: () => performance.now()
  })

  const makeHash = async (password: string, caller: Caller = SERVICE): Promise<string> => await queue.run(async () => await hash(password, settings), caller)

  // Nobody knows its password. Making it also tells the queue how long a hash takes here.
  const dummy = await makeHash(randomBytes(32).toString('base64url'))

  const verifyNobody = async (password: string): Promise<false> => {
    await verify(dummy, password)
    return false
  }

  /** A hash that was made with cheaper settings must not show that there is such a user either. */
  async function makeUpFor (checked: Argon2Hash, password: string): Promise<false> {
    const missing = missingCost(checked, config.argon2)
    if (missing !== undefined) await hash(password, optionsOf(missing))
    return false
  }

  function verifierOf (stored: Stored): Verify {
    if (stored === null) return verifyNobody
    const hash = readStoredHash(stored)
    if ('argon2' in hash) return async (password) => await verify(stored, password.normalize('NFC')) || await makeUpFor(hash.argon2, password)
    // Some foreign hashes cost next to nothing, which must not show that there is such a user.
    if ('verify' in hash) return async (password) => await hash.verify(password) || await verifyNobody(password)
    log.error('A stored password hash is malformed or costs too much; its user can not log in')
    return verifyNobody
  }

  fastify.decorate('passwordHasher', {
    hash: makeHash,
    queue,

    async verify (stored, password, caller: PasswordCaller = SERVICE) {
      const isPossible = normalizePassword(password) !== undefined
      return await queue.run(async () => {
        const matches = await verifierOf(typeof stored === 'function' ? stored() : stored)(isPossible ? password : '')
        const isRight = matches && isPossible
        await caller.checked?.(isRight)
        return isRight
      }, caller)
    },

    isOutdated (stored) {
      const hash = readStoredHash(stored)
      return 'verify' in hash || ('argon2' in hash && needsRehash(hash.argon2, config.argon2))
    }
  })
}, { name: 'password-hasher', fastify: '5.x', dependencies: ['config'] })

/** One more than can run waits for a thread, which goes on with it at once, whatever the event loop is busy with. */
function slotsOf ({ hashConcurrency, threads }: Config): Pick<HashQueueOptions, 'concurrency' | 'ahead'> {
  return threads > hashConcurrency ? { concurrency: hashConcurrency } : { concurrency: threads, ahead: 1 }
}

function optionsOf ({ memoryKib, timeCost, parallelism }: Argon2Settings): Options {
  return { algorithm: ARGON2ID, memoryCost: memoryKib, timeCost, parallelism }
}
