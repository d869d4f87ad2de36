import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { AUDIT_EVENTS } from '../audit-events.ts'
import type { DatabaseState } from '../database/database.ts'
import type { QueueWatcher } from '../hash-queue.ts'
import { OTHER, TOKEN_OUTCOMES, type TokenOutcome } from './labels.ts'

/** What is asked for when somebody looks. */
export interface Sources {
  waitingHashes: () => number
  /** Never rejects: a number that can't be had is NaN. */
  liveSessions: () => Promise<number>
  /** Milliseconds since the current key began to sign. */
  signingKeyAgeMs: () => number
  /** Milliseconds after which another key takes over. */
  keyRotationMs: number
  grantTypes: () => Iterable<string>
  database: () => DatabaseState
  isRedisAway: () => boolean
}

export interface Metrics {
  /** In the text format of Prometheus. */
  render (): Promise<string>
  readonly contentType: string
  answered (labels: { method: string, route: string, status: number }, seconds: number): void
  /** @param grantType of those in the sources; any other is one */
  tokenRequested (grantType: string, outcome: TokenOutcome): void
  audited (type: string, outcome: string): void
  readonly hashing: QueueWatcher
}

// In seconds: from an answer out of memory to a log-in that had to wait.
const ANSWER_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const WAIT_BUCKETS = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5]

export function createMetrics (sources: Sources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  addGauges(registry, sources)

  const answers = new Histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'Time from a request to its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: ANSWER_BUCKETS,
    registers
  })
  const tokenRequests = new Counter({
    name: 'latchkey_token_requests_total',
    help: 'Requests for tokens; those with grant_type="password" are log-ins',
    labelNames: ['grant_type', 'outcome'],
    registers
  })
  const auditEvents = new Counter({
    name: 'latchkey_audit_events_total',
    help: 'Audit events by type and outcome',
    labelNames: ['type', 'outcome'],
    registers
  })
  const hashWaits = new Histogram({
    name: 'latchkey_hash_wait_seconds',
    help: 'Time that password hashes waited for their turn',
    buckets: WAIT_BUCKETS,
    registers
  })
  const hashRefusals = new Counter({
    name: 'latchkey_hash_refusals_total',
    help: 'Password hashes that were refused because they would have waited too long',
    registers
  })

  const grantTypes = new Set(sources.grantTypes())
  // What begins with the first event looks like no change to Prometheus.
  for (const type of Object.keys(AUDIT_EVENTS)) ['success', 'failure'].forEach((outcome) => { auditEvents.inc({ type, outcome }, 0) })
  for (const type of [...grantTypes, OTHER]) TOKEN_OUTCOMES.forEach((outcome) => { tokenRequests.inc({ grant_type: type, outcome }, 0) })

  return {
    render: async () => await registry.metrics(),
    contentType: registry.contentType,
    answered: (labels, seconds) => { answers.observe(labels, seconds) },
    tokenRequested: (grantType, outcome) => { tokenRequests.inc({ grant_type: grantTypes.has(grantType) ? grantType : OTHER, outcome }) },
    audited: (type, outcome) => { auditEvents.inc({ type, outcome }) },
    hashing: {
      started: (waitedMs) => { hashWaits.observe(waitedMs / 1000) },
      refused: () => { hashRefusals.inc() }
    }
  }
}

function addGauges (registry: Registry, { waitingHashes, liveSessions, signingKeyAgeMs, keyRotationMs, database, isRedisAway }: Sources): void {
  const gauges = [
    { name: 'latchkey_hash_queue_length', help: 'Password hashes that wait for their turn', read: waitingHashes },
    { name: 'latchkey_signing_key_age_seconds', help: 'Time since the current key began to sign', read: () => signingKeyAgeMs() / 1000 },
    { name: 'latchkey_signing_key_rotation_seconds', help: 'Age at which a key is replaced', read: () => keyRotationMs / 1000 },
    { name: 'latchkey_database_connections_used', help: 'Connections to PostgreSQL that serve requests', read: () => database().usedConnections },
    { name: 'latchkey_database_requests_waiting', help: 'Requests that wait for a connection to PostgreSQL', read: () => database().waitingRequests },
    { name: 'latchkey_changes_unheard', help: '1 while changes of the database are not heard, and so every request reads its session', read: () => Number(!database().hearsChanges) },
    { name: 'latchkey_redis_away', help: '1 while failures are counted in the database because Redis can not be used', read: () => Number(isRedisAway()) },
    // The last of them, since it asks the database: its own request would be one that waits.
    { name: 'latchkey_sessions_live', help: 'Sessions that have not ended, in the whole database; up to a minute old', read: liveSessions }
  ]
  for (const { read, ...gauge } of gauges) {
    registry.registerMetric(new Gauge({ ...gauge, registers: [], async collect () { this.set(await read()) } }))
  }
}
