import { setTimeout as pause } from 'node:timers/promises'
import type { Act, Operation, Outcome } from './operation.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'

/** Where clients send requests. */
export interface Asked {
  name: string
  url: string
  inFlight: number
  /** Whether it takes no connections, so that a gateway would ask another. */
  isDown: boolean
}

/** What clients share. */
export interface Scene {
  people: Person[]
  replicas: Asked[]
  /** Good for one new password; as the mail would bring it. */
  mailLink: (username: string) => Promise<string>
  /** Nobody is to be held up for what clients try on purpose. */
  forgetCounts: () => Promise<boolean>
  history: Operation[]
}

export interface Answer {
  replica: string
  /** Undefined if none came. */
  status: number | undefined
  body: Record<string, string>
  invokedAt: number
  completedAt: number
}

/** So many of the clients may wait at one replica while there is another, or nobody would go on when it is stopped. */
const MOST_IN_FLIGHT = 5

async function chooseReplica ({ replicas }: Scene, random: Random): Promise<Asked> {
  for (;;) {
    const up = replicas.filter(({ isDown, inFlight }) => !isDown && (replicas.length === 1 || inFlight < MOST_IN_FLIGHT))
    if (up.length > 0) return random.pick(up)
    await pause(10)
  }
}

/** Asks one of the replicas. Resolves to undefined if the request certainly did not reach it. */
export async function ask (scene: Scene, random: Random, path: string, { headers, ...init }: RequestInit & { headers: Record<string, string> }): Promise<Answer | undefined> {
  const replica = await chooseReplica(scene, random)
  const invokedAt = performance.now()
  const told = { replica: replica.name, invokedAt }
  // Each from a network of its own, so that none is held up by the mistakes of others.
  const address = `10.${random.index(256)}.${random.index(256)}.${random.index(256)}`
  replica.inFlight++
  try {
    const response = await fetch(`${replica.url}${path}`, { ...init, headers: { ...headers, 'x-forwarded-for': address } })
    const text = await response.text()
    return { ...told, status: response.status, body: text === '' ? {} : JSON.parse(text), completedAt: performance.now() }
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED') return undefined
    return { ...told, status: undefined, body: {}, completedAt: Infinity }
  } finally {
    replica.inFlight--
  }
}

/** Whether nobody knows what became of the request. */
export const isUnanswered = ({ status }: Answer): boolean => status === undefined || status === 503

export function note ({ history }: Scene, { username }: Person, { replica, invokedAt, completedAt }: Omit<Answer, 'status' | 'body'>, act: Act, outcome: Outcome): void {
  history.push({ user: username, replica, act, outcome, invokedAt, completedAt: outcome === 'unknown' ? Infinity : completedAt })
}

/** What a client takes for a fault of the service at once. */
export function unexpected (act: string, { replica, status, body }: Answer): Error {
  return new Error(`${act} at ${replica} was answered with ${status}: ${JSON.stringify(body)}`)
}
