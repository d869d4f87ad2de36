import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { auditEvents, build, interleave, isOAuthError, lockDatabase, logIn, refresh, temporaryDirectory, type Env } from '../../helper.ts'
import { emptySchema, needsPostgres } from '../../postgres.ts'

const PARALLEL = 20
const GRACE = '300' // however slow the machine is

type Instances = [FastifyInstance, ...FastifyInstance[]]

interface Scene {
  name: string
  /** Instances of the service on one database. */
  open: (t: Test, env: Env) => Promise<Instances>
  /** Refreshes the token many times at once, by turns at each instance. */
  race: (t: Test, instances: Instances, token: string) => Promise<LightMyRequestResponse[]>
}

const openPair = async (t: Test, env: Env): Promise<Instances> => [await build(t, env), await build(t, env)]

const byTurns = (instances: Instances, token: string) =>
  Array.from({ length: PARALLEL }, (_, index) => async () => await refresh(instances[index % instances.length] as FastifyInstance, token))

const race: Scene['race'] = async (_, instances, token) => await Promise.all(byTurns(instances, token).map(async (send) => await send()))

const inFile = (t: Test): Env => ({ DATABASE_URL: `file:${temporaryDirectory(t)}/latchkey.db` })

const scenes: Scene[] = [
  { name: 'at one instance', open: async (t, env) => [await build(t, env)], race },
  { name: 'at two instances on one file', open: async (t, env) => await openPair(t, { ...env, ...inFile(t) }), race },
  {
    name: 'at two instances on one file that is locked meanwhile',
    open: async (t, env) => await openPair(t, { ...env, ...inFile(t) }),
    race: async (t, instances, token) => await interleave(t, instances, byTurns(instances, token))
  }
]
if (await needsPostgres(t)) {
  scenes.push({ name: 'at two instances on one PostgreSQL', open: async (t, env) => await openPair(t, { ...env, DATABASE_URL: await emptySchema(t) }), race })
}

/** No two acts are at the same time. */
function moveClocks (instances: Instances): void {
  let at = Date.now()
  for (const { clock } of instances) clock.now = () => ++at
}

const successorsIn = (responses: LightMyRequestResponse[]): string[] => [...new Set<string>(responses.map((response) => response.json().refresh_token))]

for (const { name, open, race } of scenes) {
  t.test(`Parallel refreshes of one token ${name}`, async (t) => {
    t.test('have one successor, which works', async (t) => {
      const instances = await open(t, { REFRESH_GRACE: GRACE })
      const [app] = instances
      const parent = await logIn(app)

      const responses = await race(t, instances, parent.refresh_token)

      t.strictSame(responses.map(({ statusCode }) => statusCode), Array(PARALLEL).fill(200))
      const [successor = '', ...others] = successorsIn(responses)
      t.strictSame(others, [])
      t.strictSame(app.refreshTokens.read(successor), { sessionId: app.refreshTokens.read(parent.refresh_token)?.sessionId, generation: 1 })
      t.equal((await refresh(instances.at(-1) as FastifyInstance, successor)).statusCode, 200)
      t.strictSame(await auditEvents(app, 'refresh_token_reuse'), [])
    })

    t.test('are answered once when there is no grace, and all others are refused', async (t) => {
      const instances = await open(t, { REFRESH_GRACE: '0' })
      const parent = await logIn(instances[0])
      moveClocks(instances)

      const responses = await race(t, instances, parent.refresh_token)

      const [good, ...others] = responses.toSorted((a, b) => a.statusCode - b.statusCode)
      t.equal(good?.statusCode, 200)
      for (const response of others) isOAuthError(t, response, 400, 'invalid_grant')
      const [app] = instances
      t.equal((await refresh(app, good?.json().refresh_token)).statusCode, 400, 'the others count as thieves')
      t.equal((await auditEvents(app, 'refresh_token_reuse')).length, 1)
    })
  })
}

t.test('Parallel refreshes that the database keeps waiting for too long are all told to come again, and the token is still good', async (t) => {
  const app = await build(t, { REFRESH_GRACE: '0' })
  const { refresh_token: token } = await logIn(app)
  const release = lockDatabase(t, app)

  const responses = await race(t, [app], token)
  release()

  for (const response of responses) {
    isOAuthError(t, response, 503, 'temporarily_unavailable')
    t.equal(response.headers['retry-after'], '1')
  }
  const [successor = ''] = successorsIn([await refresh(app, token)])
  t.equal(app.refreshTokens.read(successor)?.generation, 1)
  t.strictSame(await auditEvents(app, 'refresh_token_reuse'), [])
})
