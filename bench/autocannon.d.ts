// The package has no types of its own; these are what the client uses.
declare module 'autocannon' {
  export interface Request {
    method: 'GET' | 'POST' | 'PATCH'
    path: string
    headers: Record<string, string>
    body?: string
    /** Called before each request but a connection's first if there is more than one. */
    setupRequest?: (request: Request) => Request
    /** Called before the next request of the connection is made. */
    onResponse?: (status: number, body: string) => void
  }

  export interface Connection {
    /** The connection sends these in turn, again and again. */
    setRequests (requests: Request[]): void
  }

  export interface Result {
    '2xx': number
    non2xx: number
    errors: number
    timeouts: number
    statusCodeStats: Record<string, { count: number }>
    /** Seconds. */
    duration: number
  }

  export default function autocannon (options: {
    url: string | readonly string[]
    connections: number
    /** Seconds. */
    duration: number
    /** Milliseconds; a run ends at the end of a sample. */
    sampleInt: number
    setupClient: (connection: Connection) => void
  }): Promise<Result>
}
