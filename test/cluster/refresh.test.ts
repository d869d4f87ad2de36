import t from 'tap'
import type { Tokens } from '../helper.ts'
import { query } from '../postgres.ts'
import { logInAt, readProfileAt, refreshAt } from '../server-process.ts'
import { canRunPair, startPair } from './pair.ts'

const PARALLEL = 20
const GRACE = 10

if (await canRunPair(t)) {
  const pair = await startPair(t, { env: { REFRESH_GRACE: String(GRACE) } })
  const { one, two, env, loginUrl } = pair

  t.test('Parallel refreshes of one token that nginx spreads over both replicas have one successor', async (t) => {
    const { refresh_token: token } = await logInAt(one)

    const responses = await Promise.all(Array.from({ length: PARALLEL }, async () => await refreshAt({ url: loginUrl }, token)))

    t.strictSame(responses.map(({ status }) => status), Array(PARALLEL).fill(200))
    const successors = new Set(await Promise.all(responses.map(async (response) => (await response.json() as Tokens).refresh_token)))
    t.equal(successors.size, 1)
    const [successor] = successors
    t.equal((await refreshAt(two, successor as string)).status, 200)
  })

  for (const { name, thief, owner } of [{ name: 'the replica that gave the successor', thief: one, owner: two }, { name: 'the other replica', thief: two, owner: one }]) {
    t.test(`After the grace the old token is theft at ${name}, and the session ends at both`, async (t) => {
      const { refresh_token: old } = await logInAt(one)
      const successor = await (await refreshAt(one, old)).json() as Tokens
      const readAt = async (): Promise<number[]> => await Promise.all([one, two].map(async (replica) => (await readProfileAt(replica, successor.access_token)).status))
      t.strictSame(await readAt(), [200, 200])
      await query(env.DATABASE_URL as string, 'update sessions set rotated_at = rotated_at - $1', [GRACE * 1000])

      const theft = await refreshAt(thief, old)

      t.equal(theft.status, 400)
      t.equal((await readProfileAt(thief, successor.access_token)).status, 401)
      t.equal((await refreshAt(owner, successor.refresh_token)).status, 400)
      t.strictSame(await query(env.DATABASE_URL as string, "select count(*)::int as thefts from audit_events where type = 'refresh_token_reuse' and session_id = (select session_id from audit_events where type = 'login' order by id desc limit 1)"), [{ thefts: 1 }])
    })
  }
}
