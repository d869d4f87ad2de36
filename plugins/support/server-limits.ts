import fp from 'fastify-plugin'
import { createTally } from '../../lib/tally.ts'

/** Each takes about 15 KiB of memory and one file descriptor. */
export const MAX_CONNECTIONS = 10_000
/** More are refused with 431. */
const MAX_HEADERS = 100

const MAKE_ROOM_EVERY_MS = 1000
const REPORT_EVERY_MS = 60_000

/**
 * Bounds what strangers can make the server hold. When there are too many connections, those on which nothing
 * happens are ended, so that whoever comes next finds room; until then newcomers are turned away.
 */
export default fp(async (fastify) => {
  const { server, clock, log } = fastify
  const now = (): number => clock.now()

  const makeRoom = createTally({ everyMs: MAKE_ROOM_EVERY_MS, now, report: () => { server.closeIdleConnections() } })
  const tell = createTally({ everyMs: REPORT_EVERY_MS, now, report: (refused) => { log.warn({ refused }, 'There are too many connections; idle ones were ended and new ones refused') } })

  server.maxHeadersCount = MAX_HEADERS
  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', () => {
    makeRoom()
    tell()
  })
}, { name: 'server-limits', fastify: '5.x', dependencies: ['clock'] })
