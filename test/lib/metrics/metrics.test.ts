import t from 'tap'
import { createMetrics } from '../../../lib/metrics/metrics.ts'

t.test('what asks the database comes last, or its own request would be counted as one that waits', async (t) => {
  const asked: string[] = []
  const note = <Value>(name: string, value: Value) => (): Value => {
    asked.push(name)
    return value
  }
  const metrics = createMetrics({
    waitingHashes: note('hashes', 0),
    liveSessions: note('sessions', Promise.resolve(0)),
    signingKeyAgeMs: note('key', 0),
    keyRotationMs: 0,
    grantTypes: () => [],
    database: note('database', { usedConnections: 0, waitingRequests: 0, hearsChanges: true }),
    isRedisAway: note('redis', false)
  })

  await metrics.render()

  t.strictSame([asked.indexOf('sessions'), asked.length], [asked.length - 1, 7])
})
