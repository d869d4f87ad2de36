import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

/** One line for each answered request: the path without its query or fragment, nothing from headers or bodies. */
export class RequestLog extends LogController {
  constructor () {
    super({ requestIdLogLabel: 'request_id' })
  }

  override incomingRequest (): void {}

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (error == null && !(request.log as Logger).isLevelEnabled('info')) return

    const line = {
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
      user_id: request.auth?.session.user.id,
      session_id: request.auth?.session.id
    }
    if (error == null) request.log.info(line, 'request')
    else request.log.warn({ ...line, err: error }, 'the answer could not be sent')
  }
}

// What a gateway asks about with `/verify/*` is the path of another service, and may hold a secret of it.
function pathOf ({ url, routeOptions }: FastifyRequest): string {
  return routeOptions.url?.endsWith('*') === true ? routeOptions.url : url.split(/[?#]/, 1).join()
}
