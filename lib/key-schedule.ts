import { CLOCK_LEEWAY, MAX_ACCESS_TOKEN_TTL } from './access-token.ts'

/** How long others may keep our JWKS, in seconds. */
export const JWKS_MAX_AGE = 300

/** A new key is published this long before it signs, in milliseconds: every cache has it by then. */
export const PUBLISH_AHEAD_MS = 2 * JWKS_MAX_AGE * 1000

/** A key is published this long after its successor signs, in milliseconds: its last token has expired by then. */
export const RETIRE_AFTER_MS = (MAX_ACCESS_TOKEN_TTL + CLOCK_LEEWAY) * 1000

/** When a key signs and how long it is believed follow from these times and from the other keys. */
export interface ScheduledKey {
  alg: string
  /** Epoch milliseconds, as is every time here. */
  activatesAt: number
  revokedAt: number | null
}

/** The youngest key that has begun to sign; if the clock went back before all of them, the oldest. */
export function signingKey<Key extends ScheduledKey> (keys: readonly Key[], now: number): Key | undefined {
  const byAge = usable(keys)
  return byAge.findLast(({ activatesAt }) => activatesAt <= now) ?? byAge[0]
}

/** The key that was made to sign last. */
export function youngestKey<Key extends ScheduledKey> (keys: readonly Key[]): Key | undefined {
  return usable(keys).at(-1)
}

/** Until when the tokens of each key are believed; a revoked key is not there. */
export function believedUntil<Key extends ScheduledKey> (keys: readonly Key[]): Map<Key, number> {
  const byAge = usable(keys)
  return new Map(byAge.map((key, index) => {
    const successor = byAge[index + 1]
    return [key, successor === undefined ? Infinity : successor.activatesAt + RETIRE_AFTER_MS]
  }))
}

/**
 * Whether it is time to publish the next key, so that it signs when the youngest is `rotationMs` old;
 * it is at once if `alg` is given and the youngest is of another.
 */
export function isRotationDue (keys: readonly ScheduledKey[], now: number, { rotationMs, alg }: { rotationMs: number, alg?: string }): boolean {
  const youngest = youngestKey(keys)
  return youngest === undefined || youngest.alg !== (alg ?? youngest.alg) || now >= youngest.activatesAt + rotationMs - PUBLISH_AHEAD_MS
}

/** Whether the youngest key waits until every cache has it. */
export function isRotationPending (keys: readonly ScheduledKey[], now: number): boolean {
  const youngest = youngestKey(keys)
  return youngest !== undefined && youngest.activatesAt > now
}

function usable<Key extends ScheduledKey> (keys: readonly Key[]): Key[] {
  return keys.filter(({ revokedAt }) => revokedAt === null).toSorted((a, b) => a.activatesAt - b.activatesAt)
}
