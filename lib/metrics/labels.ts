/** Stands for all that is not ours to name: who sends requests must not be able to make series. */
export const OTHER = 'other'

const METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'])

export function methodLabel (method: string): string {
  return METHODS.has(method) ? method : OTHER
}

/** @param url the pattern of the route that answered, if one did; `*` is there for CORS only */
export function routeLabel (url: string | undefined): string {
  return url === undefined || url === '*' ? OTHER : url
}

/** What became of a request for tokens. */
export const TOKEN_OUTCOMES = ['issued', 'refused', 'throttled', 'overloaded', 'failed'] as const

export type TokenOutcome = typeof TOKEN_OUTCOMES[number]

/** @param status of the answer of the token endpoint */
export function tokenOutcome (status: number): TokenOutcome {
  if (status === 200) return 'issued'
  if (status === 429) return 'throttled'
  if (status === 503) return 'overloaded'
  return status < 500 ? 'refused' : 'failed'
}
