import type { WireAnswer } from './wire.ts'

/** What there is to be deleted without harm to those who delete it. */
export interface Supplies {
  /** Makes what is gone, and finds what has come up. */
  restock (): Promise<void>
  /** What the words for them mean. */
  words (): Record<string, string>
}

const ROLE = 'spare'

/** @param ask sends a request as the administrator */
export function createSupplies (ask: (method: string, target: string, body?: string) => Promise<WireAnswer>): Supplies {
  let throttleId = 'none'

  return {
    async restock () {
      await ask('PUT', `/roles/${ROLE}`, '{"scopes":["spare:use"]}')
      const { body } = await ask('GET', '/throttles?limit=1')
      throttleId = (JSON.parse(body) as { items?: Array<{ id: string }> }).items?.[0]?.id ?? 'none'
    },

    words: () => ({ XROLEX: ROLE, XTHROTTLEIDX: throttleId })
  }
}
