import fp from 'fastify-plugin'
import { PublicError, StartupError } from '../../lib/errors.ts'
import { believedUntil, isRotationDue, isRotationPending, PUBLISH_AHEAD_MS, signingKey, youngestKey } from '../../lib/key-schedule.ts'
import { generateSigningKey, importSigningKey, type SigningKey, type SigningAlgorithm } from '../../lib/signing-keys.ts'
import type { AuditContext } from '../data/audit.ts'
import type { StoredKey } from '../data/signing-keys.ts'

/** A key of the ring. Times are epoch milliseconds. */
export interface RingKey extends SigningKey {
  createdAt: number
  activatesAt: number
  revokedAt: number | null
}

export interface KeyRing {
  /** The key that signs now. */
  current (): RingKey
  /** The key of that id if its tokens are believed now. */
  find (kid: string): RingKey | undefined
  /** The keys whose tokens are believed, those that will sign soon included. */
  trusted (): RingKey[]
  /**
   * Adds a key: it is published now and signs when every cache has it. `immediately` is for a leaked key:
   * the new one signs now and all others are refused from now on, here at once and in other processes
   * when they look after their keys.
   *
   * @throws PublicError `rotation_pending` (409) while a key waits to sign, unless `immediately`
   */
  rotate (options: { immediately: boolean }, context: AuditContext): Promise<RingKey>
  /**
   * Takes over what other processes have changed, and rotates when it is time.
   *
   * @param alg of which the key is to be that signs; without it, the one that there is stays
   */
  maintain (alg?: SigningAlgorithm): Promise<void>
  /** Takes over what other processes have changed, unless somebody asked for it within the last `LOOK_AGAIN_MS`. */
  lookAgain (): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    keyRing: KeyRing
  }
}

/** A flood of tokens of unknown keys makes a process look no more often than that, in milliseconds. */
export const LOOK_AGAIN_MS = 1000

export default fp(async (fastify) => {
  const { signingKeys, vault, clock, config } = fastify
  let ring = new Map<string, RingKey>()
  let believed = new Map<RingKey, number>()
  let lookedAt = 0
  let looking: Promise<void> | undefined

  const keys = (): RingKey[] => [...ring.values()]
  const isBelieved = (key: RingKey): boolean => clock.now() < (believed.get(key) ?? 0)

  async function unseal (stored: StoredKey): Promise<RingKey> {
    const context = sealContext(stored.kid)
    const opened = vault.open(stored.privateKey, context)
    if (opened === undefined) {
      throw new StartupError('The service secret does not open the signing keys of this database: start with the secret that it was made with, or, to change the secret, with a list: LATCHKEY_SECRET=new,old')
    }
    if (opened.stale) await signingKeys.reseal(stored.kid, vault.seal(opened.plaintext, context))
    try {
      const key = await importSigningKey({ kid: stored.kid, alg: stored.alg, privatePem: opened.plaintext })
      return { ...key, createdAt: stored.createdAt, activatesAt: stored.activatesAt, revokedAt: stored.revokedAt }
    } catch (cause) {
      throw new StartupError(`A signing key in the database can't be used: ${(cause as Error).message}`, { cause })
    }
  }

  async function reload (): Promise<void> {
    const loaded = new Map<string, RingKey>()
    for (const stored of await signingKeys.list()) {
      const known = ring.get(stored.kid)
      loaded.set(stored.kid, known === undefined ? await unseal(stored) : { ...known, revokedAt: stored.revokedAt })
    }
    ring = loaded
    believed = believedUntil(keys())
  }

  // Verifiers may expect the algorithm that there is, and a command may have been given other settings.
  const currentAlg = (): SigningAlgorithm => youngestKey(keys())?.alg ?? config.signingAlg

  async function add (wantedAlg: SigningAlgorithm, activatesAt: number, options: { isWanted: (keys: StoredKey[]) => boolean, revokeOthers: boolean }, context: AuditContext): Promise<string> {
    const { kid, alg, privatePem } = await generateSigningKey(wantedAlg)
    const privateKey = vault.seal(privatePem, sealContext(kid))
    await signingKeys.add({ kid, alg, privateKey, createdAt: clock.now(), activatesAt, revokedAt: null }, options, context)
    await reload()
    return kid
  }

  const keyRing: KeyRing = {
    current () {
      const key = signingKey(keys(), clock.now())
      if (key === undefined) throw new Error('There is no signing key')
      return key
    },

    find (kid) {
      const key = ring.get(kid)
      return key !== undefined && isBelieved(key) ? key : undefined
    },

    trusted: () => keys().filter(isBelieved),

    async rotate ({ immediately }, context) {
      const now = clock.now()
      const isWanted = (current: StoredKey[]): boolean => immediately || !isRotationPending(current, now)
      const kid = await add(currentAlg(), now + (immediately ? 0 : PUBLISH_AHEAD_MS), { isWanted, revokeOthers: immediately }, context)
      const key = ring.get(kid)
      if (key === undefined) throw new PublicError(409, 'rotation_pending', 'The key that was made last does not sign yet: wait for it, or rotate immediately')
      return key
    },

    async maintain (alg) {
      await reload()
      const now = clock.now()
      const rotation = { rotationMs: config.keyRotationMs, ...alg !== undefined && { alg } }
      if (!isRotationDue(keys(), now, rotation)) return
      const activatesAt = keys().length === 0 ? now : now + PUBLISH_AHEAD_MS
      await add(alg ?? currentAlg(), activatesAt, { isWanted: (current) => isRotationDue(current, now, rotation), revokeOthers: false }, {})
    },

    async lookAgain () {
      if (looking === undefined) {
        if (Math.abs(clock.now() - lookedAt) < LOOK_AGAIN_MS) return
        lookedAt = clock.now()
        looking = reload().finally(() => { looking = undefined })
      }
      await looking
    }
  }

  fastify.decorate('keyRing', keyRing)
  await reload()
}, { name: 'key-ring', fastify: '5.x', dependencies: ['clock', 'config', 'signing-keys', 'vault'] })

// A sealed key that is moved to another row does not open there.
function sealContext (kid: string): string {
  return `signing key ${kid}`
}
