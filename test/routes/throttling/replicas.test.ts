import t, { type Test } from 'tap'
import { auditEvents, build, createUser, temporaryDirectory, type Env } from '../../helper.ts'
import { emptySchema, needsPostgres } from '../../postgres.ts'
import { addresses, BEHIND_PROXY, counts, failFrom, HOUR, PASSWORD, SECOND, tryFrom } from '../../throttles.ts'
import { places } from './places.ts'

const FREE = 20
const WAIT = 45 * SECOND
const ONE = '203.0.113.1'
const TWO = '203.0.113.2'

const openings: Array<{ name: string, env: (t: Test) => Env | Promise<Env> }> = places.map(({ name, env }) => ({
  name: `SQLite, counted ${name}`,
  env: (t) => ({ DATABASE_URL: `file:${temporaryDirectory(t)}/latchkey.db`, ...env() })
}))
if (await needsPostgres(t)) openings.push({ name: 'PostgreSQL', env: async (t) => ({ DATABASE_URL: await emptySchema(t) }) })

for (const { name, env } of openings) {
  /** Three replicas with one clock, and the user ada. */
  async function openReplicas (t: Test) {
    const settings = { ...BEHIND_PROXY, HASH_QUEUE_MS: '60000', ...await env(t) }
    let now = Date.now()
    const replicas = []
    for (let count = 0; count < 3; count++) {
      const app = await build(t, settings)
      app.clock.now = () => now
      replicas.push(app)
    }
    const [one, two, three] = replicas as [typeof replicas[0], typeof replicas[0], typeof replicas[0]]
    await createUser(one, { username: 'ada', password: PASSWORD, email: 'ada@example.com' })
    return { one, two, three, advance: (ms: number) => { now += ms } }
  }
  type App = Awaited<ReturnType<typeof openReplicas>>['one']

  async function useUpWhatIsFree (app: App): Promise<void> {
    for (const address of addresses(FREE)) await failFrom(app, address, 1)
  }

  const guesses = async (app: App): Promise<number> => (await auditEvents(app, 'login')).filter(({ details }) => details === '{"error":"invalid_grant"}').length

  t.test(name, async (t) => {
    t.test('whoever asks all replicas at once after each wait makes no more than 100 guesses in an hour', async (t) => {
      const { one, two, three, advance } = await openReplicas(t)
      await useUpWhatIsFree(one)

      for (let passed = WAIT; passed < HOUR; passed += WAIT) {
        advance(WAIT)
        const statuses = await Promise.all([one, two, three].map(async (app) => (await tryFrom(app, addresses(1000)[passed / WAIT] as string)).statusCode))
        t.strictSame(statuses.toSorted(), [400, 429, 429])
      }

      t.equal(await guesses(one), 99)
      t.equal((await counts(one)).find(({ rule }) => rule === 'account')?.failures, 99)
    })

    t.test('the name at one replica and the address at another are one guess, which does not show', async (t) => {
      const { one, two, advance } = await openReplicas(t)
      await useUpWhatIsFree(one)
      for (const address of addresses(FREE)) await tryFrom(two, address, 'wrong', 'ada@example.com')
      const before = await guesses(one)
      advance(WAIT)

      const responses = await Promise.all([tryFrom(one, ONE), tryFrom(two, TWO, 'wrong', 'ada@example.com')])

      t.strictSame(responses.map(({ statusCode }) => statusCode), [400, 400])
      t.equal(responses[0]?.body, responses[1]?.body)
      t.equal(await guesses(one) - before, 1)
    })

    t.test('right passwords at two replicas at once after a wait: one is let in, and the other again later', async (t) => {
      const { one, two, advance } = await openReplicas(t)
      await useUpWhatIsFree(one)
      advance(WAIT)

      const responses = await Promise.all([tryFrom(one, ONE, PASSWORD), tryFrom(two, TWO, PASSWORD)])

      t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [200, 429])
      advance(WAIT)
      t.equal((await tryFrom(two, TWO, PASSWORD)).statusCode, 200)
    })

    t.test('where a wait can not be used up, right and wrong passwords get the same answer', async (t) => {
      const { one, advance } = await openReplicas(t)
      await useUpWhatIsFree(one)
      advance(WAIT)
      t.intercept(one.throttles, 'claim', { value: async () => { throw new Error('disk full') } })

      const responses = [await tryFrom(one, ONE, PASSWORD), await tryFrom(one, ONE), await tryFrom(one, TWO, PASSWORD)]

      t.strictSame(responses.map(({ statusCode }) => statusCode), [500, 500, 500])
    })
  })
}
