import fc from 'fast-check'
import type { Route } from '../../collect-routes.ts'
import { createActors } from './actors.ts'
import { createJudge } from './judge.ts'
import { requestFor, type FuzzedRequest } from './requests.ts'
import { createWire, type WireAnswer } from './wire.ts'

export interface FuzzOptions {
  /** Where the service listens. */
  port: number
  /** What it says of itself. */
  routes: Route[]
  /** Makes a user with the password of the actors. */
  makeUser: (username: string, isAdmin: boolean) => Promise<void>
  requests: number
  seed?: number
  /** Called after each request with how many there were. */
  onRequest?: (count: number) => void | Promise<void>
}

/** How often each route gave each status. */
export type Seen = Record<string, Record<number, number>>

const REPAIR_EVERY = 50

/**
 * Sends requests that are made from what the routes say they take.
 *
 * @returns what all routes answered, those included that were never asked
 * @throws Error with the seed and the request if an answer is not as it has to be
 */
export async function fuzz ({ port, routes, makeUser, requests, seed, onRequest }: FuzzOptions): Promise<Seen> {
  const wire = createWire(port)
  const judge = await createJudge(routes)
  const actors = await createActors(wire, makeUser)
  const seen: Seen = Object.fromEntries(routes.filter(isFuzzed).map(({ method, url }) => [`${method} ${url}`, {}]))
  let count = 0

  const arbitraries = routes.filter(isFuzzed).map((route) => ({ weight: hasNothingToSend(route) ? 1 : 5, arbitrary: requestFor(route) }))
  const property = fc.asyncProperty(fc.oneof(...arbitraries), async (fuzzed) => {
    const request = actors.prepare(fuzzed)
    const secrets = actors.secrets()
    const answer = await wire.send(request)
    const counts = seen[fuzzed.route]
    if (counts !== undefined) counts[answer.status] = (counts[answer.status] ?? 0) + 1
    judge(request, answer, secrets)
    actors.learn(request, answer)
    if (++count % REPAIR_EVERY === 0 || isChange(request, answer)) await actors.repair()
    await onRequest?.(count)
  })
  try {
    await fc.assert(property, { numRuns: requests, endOnFailure: true, ...seed !== undefined && { seed } })
    return seen
  } finally {
    wire.close()
  }
}

// The route of @fastify/cors for every path is there for preflights only; those for gateways take every method that there is.
function isFuzzed ({ method, url }: Route): boolean {
  return url !== '*' && (!url.startsWith('/verify') || method === 'GET' || method === 'POST')
}

/** What is the same whoever asks, or is asked with another method too. */
function hasNothingToSend ({ method, config, schema }: Route): boolean {
  return method === 'HEAD' || (method === 'GET' && config?.public === true && schema?.querystring === undefined)
}

/** Somebody's session, or somebody, may be gone after it. */
function isChange ({ method }: FuzzedRequest, { status }: WireAnswer): boolean {
  return status < 300 && method !== 'GET' && method !== 'HEAD'
}
