import { setTimeout as pause } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import type { Announcements, OnChange } from './announcements.ts'
import { createClient } from './postgres-pool.ts'

/** Where the triggers of the database tell of changes. */
export const CHANNEL = 'latchkey_changes'

const SIGN_OF_LIFE_EVERY_MS = 250
/** A sign of life counts so long after it was asked for, in milliseconds. */
export const HEARD_FOR_MS = 1000
const RECONNECT_AFTER_MS = 250

export interface Listener extends Announcements {
  /** Lets another connection hear too: what is committed on it is announced before its commit resolves. */
  hear: (client: ClientBase) => Promise<void>
  /** Resolves when changes are heard, or when the first attempt to hear them has failed. */
  start: () => Promise<void>
  stop: () => void
}

interface Options {
  /** The schema whose changes matter. */
  schema: string
  /** Milliseconds of a clock that nobody sets. */
  now: () => number
  /** Told whether changes are heard, when that has changed. */
  onTurn: (isHeard: boolean) => void
}

/**
 * Keeps a connection for hearing of changes. That nothing is heard does not mean that nothing happens: the connection
 * may be dead, and so it counts only while it gives signs of life.
 */
export function createListener (url: string, { schema, now, onTurn }: Options): Listener {
  const subscribers: OnChange[] = []
  const stopping = new AbortController()
  let heardUntil = -Infinity

  const announce: OnChange = (userId) => { subscribers.forEach((onChange) => { onChange(userId) }) }

  async function hear (client: ClientBase): Promise<void> {
    client.on('notification', ({ payload = '' }) => {
      const change = parseChange(payload)
      if (change?.schema === schema) announce(change.user ?? undefined)
    })
    await client.query(`listen ${CHANNEL}`)
  }

  /** Rejects when the connection is lost. */
  async function listen (onHeard: () => void): Promise<never> {
    const client = createClient(url, HEARD_FOR_MS)
    try {
      await client.connect()
      await hear(client)
      announce() // whatever happened before
      for (;;) {
        const askedAt = now()
        await client.query('select') // what was announced before it is here before its answer
        heardUntil = askedAt + HEARD_FOR_MS
        onHeard()
        await pause(SIGN_OF_LIFE_EVERY_MS, undefined, { signal: stopping.signal })
      }
    } finally {
      heardUntil = -Infinity
      client.end().catch(() => {}) // a dead connection does not tell when it has ended
    }
  }

  async function run (onAttempt: () => void): Promise<void> {
    while (!stopping.signal.aborted) {
      let wasHeard = false
      await listen(() => {
        if (!wasHeard) onTurn(true)
        wasHeard = true
        onAttempt()
      }).catch(() => {})
      onAttempt()
      if (wasHeard && !stopping.signal.aborted) onTurn(false)
      await pause(RECONNECT_AFTER_MS, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  return {
    isHeard: () => now() < heardUntil,
    subscribe: (onChange) => { subscribers.push(onChange) },
    hear,

    async start () {
      const { promise, resolve } = Promise.withResolvers<void>()
      run(resolve)
      await promise
    },

    stop: () => { stopping.abort() }
  }
}

/** Everybody who may connect to the database can send something else. */
function parseChange (payload: string): { schema: string, user: string | null } | undefined | null {
  try {
    return JSON.parse(payload)
  } catch {
    return undefined
  }
}
