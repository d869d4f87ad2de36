import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { JWKS_MAX_AGE, PUBLISH_AHEAD_MS, RETIRE_AFTER_MS } from '../../lib/key-schedule.ts'
import { runCommand } from '../command.ts'
import { build, testEnv, type Env } from '../helper.ts'
import { emptySchema, needsPostgres } from '../postgres.ts'
import { logInAt, readProfileAt } from '../server-process.ts'

const STEP_MS = 60_000
const TOKEN_MS = 600_000
const DAY_MS = 86_400_000

interface Replica {
  app: FastifyInstance
  url: string
}

/** Two that share nothing but the database and a clock that the test moves on: processes can't be told the time. */
interface Pair {
  replicas: [Replica, Replica]
  env: Env
  now: () => number
  advance: (ms: number) => void
}

async function startPair (t: Test): Promise<Pair> {
  const env = testEnv(t, { DATABASE_URL: await emptySchema(t), KEY_ROTATION_DAYS: '1' })
  let now = Date.now()
  const start = async (): Promise<Replica> => {
    const app = await build(t, env)
    app.clock.now = () => now
    await app.listen({ host: '127.0.0.1', port: 0 })
    return { app, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` }
  }
  return { replicas: [await start(), await start()], env, now: () => now, advance: (ms) => { now += ms } }
}

/** A service that keeps the JWKS as long as it may, and does not ask again for a key that it does not know. */
function createVerifier ({ url }: Replica, { env, now }: Pair): (token: string) => Promise<boolean> {
  let fetchedAt = -Infinity
  let keys: Promise<ReturnType<typeof createLocalJWKSet>>
  const fetchKeys = async () => createLocalJWKSet(await (await fetch(`${url}/.well-known/jwks.json`)).json() as JSONWebKeySet)
  return async (token) => {
    if (now() - fetchedAt >= JWKS_MAX_AGE * 1000) {
      keys = fetchKeys()
      fetchedAt = now()
    }
    const options = { issuer: env.PUBLIC_URL as string, audience: env.PUBLIC_URL as string, typ: 'at+jwt', currentDate: new Date(now()) }
    return await jwtVerify(token, await keys, options).then(() => true, () => false)
  }
}

const kidOf = ({ app }: Replica): string => app.keyRing.current().kid
const kidsOf = async ({ app }: Replica): Promise<string[]> => (await app.signingKeys.list()).map(({ kid }) => kid)

/** Logs in at both replicas each minute; every token that has not expired is shown to both and to verifiers. Gives the keys that have signed. */
async function serveFor (t: Test, pair: Pair, ms: number): Promise<Set<string>> {
  const { replicas, now, advance } = pair
  const verifiers: Array<(token: string) => Promise<boolean>> = []
  let tokens: Array<{ token: string, expiresAt: number }> = []
  const signed = new Set<string>()
  const refused: string[] = []

  for (const end = now() + ms; now() < end; advance(STEP_MS)) {
    // Each began at another minute, so that one reads the keys just before anything changes.
    if (verifiers.length < JWKS_MAX_AGE * 1000 / STEP_MS) verifiers.push(createVerifier(replicas[verifiers.length % 2] as Replica, pair))
    if (kidOf(replicas[0]) !== kidOf(replicas[1])) refused.push(`two keys sign at ${now()}`)
    signed.add(kidOf(replicas[0]))

    const issued = await Promise.all(replicas.map(async (replica) => (await logInAt(replica)).access_token))
    tokens = [...tokens.filter(({ expiresAt }) => now() < expiresAt), ...issued.map((token) => ({ token, expiresAt: now() + TOKEN_MS }))]
    await Promise.all(tokens.map(async ({ token }) => {
      for (const replica of replicas) if ((await readProfileAt(replica, token)).status !== 200) refused.push(`by ${replica.url} at ${now()}`)
      for (const verify of verifiers) if (!await verify(token)) refused.push(`by a verifier at ${now()}`)
    }))
    // Processes look every five seconds; these are late, and at the same time.
    await Promise.all(replicas.map(async ({ app }) => { await app.keyRing.maintain() }))
  }

  t.strictSame(refused, [])
  return signed
}

if (await needsPostgres(t)) {
  t.test('The command publishes another key while two replicas serve, and no token that is valid is refused', async (t) => {
    const pair = await startPair(t)
    const { replicas, env } = pair
    const before = kidOf(replicas[0])
    await serveFor(t, pair, 2 * STEP_MS)

    const { code, stdout } = await runCommand(env, ['key', 'rotate', '--json'])
    const signed = await serveFor(t, pair, PUBLISH_AHEAD_MS + RETIRE_AFTER_MS + 2 * STEP_MS)

    t.equal(code, 0)
    const { kid } = JSON.parse(stdout) as { kid: string }
    t.strictSame([...signed], [before, kid])
    t.strictSame(replicas.map(({ app }) => app.keyRing.trusted().map((key) => key.kid)), [[kid], [kid]], 'the old one is gone')
  })

  t.test('When the schedule says so one of two replicas makes the next key, and no token that is valid is refused', async (t) => {
    const pair = await startPair(t)
    const { replicas, advance } = pair
    const before = kidOf(replicas[0])
    advance(DAY_MS - PUBLISH_AHEAD_MS - 3 * STEP_MS)

    const signed = await serveFor(t, pair, PUBLISH_AHEAD_MS + 6 * STEP_MS)

    const kids = await kidsOf(replicas[0])
    t.equal(kids.length, 2, 'exactly one was made')
    t.strictSame([...signed], [before, ...kids.filter((kid) => kid !== before)])
  })

  t.test('A token of a key that the other replica has just made is taken, and all who show one wait for one look', async (t) => {
    const { replicas: [one, two], advance } = await startPair(t)
    await one.app.keyRing.rotate({ immediately: true }, {})
    advance(1000)
    const { access_token: token } = await logInAt(one)
    const looks = t.capture(two.app.signingKeys, 'list', two.app.signingKeys.list)

    const responses = await Promise.all(Array.from({ length: 10 }, async () => await readProfileAt(two, token)))

    t.strictSame(responses.map(({ status }) => status), Array(10).fill(200))
    t.equal(looks().length, 1)
  })
}
