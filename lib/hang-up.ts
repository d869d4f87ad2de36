import type { ServerResponse } from 'node:http'

/**
 * Is aborted when the client closes the connection before it has its answer. (Fastify's `request.signal` is aborted as
 * soon as the body is read.)
 */
export function hangUpSignal (response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
