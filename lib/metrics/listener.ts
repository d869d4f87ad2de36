import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cannotListen } from '../errors.ts'
import { SECURITY_HEADERS } from '../server-options.ts'

export interface MetricsListenerOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  contentType: string
  render: () => Promise<string>
  /** Told why nothing could be rendered. */
  onFault: (error: unknown) => void
}

export interface MetricsListener {
  url: string
  close (): void
}

const TIMEOUT_MS = 5000
// A few that scrape, and somebody who looks.
const MAX_CONNECTIONS = 50

/**
 * Answers `GET /metrics` and nothing else, on a port of its own.
 *
 * @throws StartupError when the port can't be had
 */
export async function listenForScrapes ({ host, port, contentType, render, onFault }: MetricsListenerOptions): Promise<MetricsListener> {
  const server = createServer({ headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, insecureHTTPParser: false }, (request, response) => {
    request.resume()
    const refusal = refusalOf(request)
    if (refusal !== undefined) end(response, refusal)
    else render().then((text) => { end(response, { status: 200, headers: { 'content-type': contentType }, text }) }).catch(fail)

    function fail (error: unknown): void {
      onFault(error)
      end(response, { status: 500 })
    }
  })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(port, host)
  await once(server, 'listening').catch((cause: unknown) => { throw cannotListen('METRICS_PORT', cause) })
  return {
    url: urlOf(server),
    close () {
      server.close()
      server.closeAllConnections()
    }
  }
}

interface Answer {
  status: number
  headers?: Record<string, string>
  text?: string
}

function refusalOf ({ method, url }: IncomingMessage): Answer | undefined {
  if (url !== '/metrics') return { status: 404 }
  return method === 'GET' || method === 'HEAD' ? undefined : { status: 405, headers: { allow: 'GET, HEAD' } }
}

function end (response: ServerResponse, { status, headers, text = '' }: Answer): void {
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers }).end(text)
}

function urlOf (server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/metrics`
}
