import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { MOVED_TABLES } from '../../lib/database/move.ts'
import { MOST_NETWORKS } from '../../plugins/data/known-networks.ts'
import { REMEMBERED_TOKENS } from '../../plugins/security/access-tokens.ts'
import { HOUSEKEEPING_MS } from '../../plugins/support/housekeeping.ts'
import { collectGarbage } from '../collect-garbage.ts'
import { build, createUser, logIn, passwordGrant, postForm, readProfile, refresh, stopClock, type Tokens } from '../helper.ts'
import { requestReset } from '../mailed-links.ts'
import { BEHIND_PROXY, HOUR, MINUTE, PASSWORD, tryFrom } from '../throttles.ts'

const DAY = 24 * HOUR
const TRAFFIC_EVERY_MS = 10 * MINUTE
const MAILS_EVERY_MS = HOUR
/** After that as much goes as comes: what is kept longest are keys, for a day after the last token that they signed. */
const UNTIL_STEADY_MS = DAY + 2 * HOUR
const USERNAMES = ['ada', 'bob', 'eve', 'joe', 'sam']

const MANY_TOKENS = REMEMBERED_TOKENS + 500
const MORE_TOKENS = 5000
/** How many bytes more may be in use in the end; as many more tokens would be about twice as much. */
const MOST_GROWTH = 4_000_000

interface State {
  rows: Record<string, number>
  publishedKeys: number
  heap: number
}

async function look (app: FastifyInstance): Promise<State> {
  await app.housekeeping.run() // it may have been under way
  await app.housekeeping.run()
  const rows: State['rows'] = {}
  for (const table of MOVED_TABLES) rows[table] = (await app.db.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('rows')).executeTakeFirstOrThrow()).rows
  const { keys } = (await app.inject('/.well-known/jwks.json')).json()
  await collectGarbage()
  return { rows, publishedKeys: keys.length, heap: process.memoryUsage().heapUsed }
}

/** Shows so many tokens, signed with the key of this minute. */
async function makeTokenUser (app: FastifyInstance): Promise<(count: number) => void> {
  const { access_token: token } = await logIn(app, passwordGrant('ada', PASSWORD))
  const { sub: userId, sid: sessionId, client_id: clientId, scope } = app.accessTokens.verify(token)
  return (count) => {
    for (let used = 0; used < count; used++) app.accessTokens.verify(app.accessTokens.issue({ userId, sessionId, clientId, scope, authenticatedAt: 0 }))
  }
}

/** Everybody comes from everywhere. */
const addressAt = (time: number, last: number): string => `10.${(time / MINUTE) >> 8}.${(time / MINUTE) & 255}.${last}`

async function bringTraffic (app: FastifyInstance, time: number): Promise<void> {
  const round = time / TRAFFIC_EVERY_MS
  const username = USERNAMES[round % USERNAMES.length] as string
  const tokens = (await tryFrom(app, addressAt(time, 1), PASSWORD, username)).json() as Tokens
  const refreshed = (await refresh(app, tokens.refresh_token)).json() as Tokens
  if ((await readProfile(app, refreshed.access_token)).statusCode !== 200) throw new Error(`nobody can log in after ${time / MINUTE} minutes`)
  if (round % 3 === 0) await postForm(app, '/revoke', { token: refreshed.refresh_token })

  await tryFrom(app, addressAt(time, 2), 'wrong', username)
  await tryFrom(app, addressAt(time, 3), 'wrong', `nobody-${time}`)
  if (time % MAILS_EVERY_MS === 0) await requestReset(app, `${username}@example.com`)
  await app.outboxWorker.run()
}

// tap ends the file then, on a machine however slow: nothing waits for it.
t.setTimeout(300_000)

t.test('Rotations every minute, log-ins, failures and mails leave no more behind after six hours more', async (t) => {
  const app = await build(t, {
    ...BEHIND_PROXY,
    KEY_ROTATION_DAYS: String(MINUTE / DAY),
    REFRESH_TOKEN_IDLE_DAYS: String(HOUR / DAY),
    AUDIT_RETENTION_DAYS: '0.25'
  })
  const clock = stopClock(app)
  for (const username of USERNAMES) await createUser(app, { username, password: PASSWORD, email: `${username}@example.com` })
  const useTokens = await makeTokenUser(app)
  useTokens(MANY_TOKENS)

  let time = 0
  async function live (ms: number): Promise<void> {
    for (const end = time + ms; time < end; time += MINUTE) {
      clock.advance(MINUTE)
      await app.keyRing.maintain()
      useTokens(1)
      if (time % TRAFFIC_EVERY_MS === 0) await bringTraffic(app, time)
      // All goes on meanwhile, as when the timer begins it.
      if (time % HOUSEKEEPING_MS === 0) app.housekeeping.run()
    }
  }

  await live(UNTIL_STEADY_MS)
  const before = await look(app)
  await live(DAY / 4)
  useTokens(MORE_TOKENS)
  const after = await look(app)

  t.strictSame(after.rows, before.rows)
  t.equal(after.publishedKeys, before.publishedKeys)
  t.ok(after.heap - before.heap < MOST_GROWTH, `the heap has grown by ${after.heap - before.heap} bytes`)
  t.comment(JSON.stringify({ before, after }))
  t.match(after.rows, { sessions: Number, signing_keys: Number, audit_events: Number, throttles: Number, known_networks: USERNAMES.length * MOST_NETWORKS, outbox: 0 })
})
