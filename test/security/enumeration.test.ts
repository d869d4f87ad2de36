import { StatementSync } from 'node:sqlite'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { build, requestToken } from '../helper.ts'
import { addUser, bytesOf, NEW_PASSWORD, requestReset, requestVerification, sendJson } from '../mailed-links.ts'
import { forgetCounts } from '../throttles.ts'

// A hash takes much longer than all else together, so that none too few shows.
const ENV = { REGISTRATION: 'open', ARGON2_MEMORY_KIB: '16384' }
const SAMPLES = 60
// Far more than noise makes of equal work, far less than a hash that is left out.
const LARGEST_RATIO = 2

interface Pair {
  name: string
  hashes: number
  /** Sends the same for somebody who is there or not, each time under another name where names are used up. */
  send: (app: FastifyInstance, isKnown: boolean, index: number) => Promise<LightMyRequestResponse>
}

const address = (isKnown: boolean): string => isKnown ? 'ada@example.com' : 'eve@example.com'

const pairs: Pair[] = [
  { name: 'a reset', hashes: 0, send: async (app, isKnown) => await requestReset(app, address(isKnown)) },
  { name: 'a verification', hashes: 0, send: async (app, isKnown) => await requestVerification(app, address(isKnown)) },
  { name: 'a log-in by name', hashes: 1, send: async (app, isKnown) => await requestToken(app, { grant_type: 'password', username: isKnown ? 'ada' : 'eve', password: 'wrong' }) },
  { name: 'a log-in by address', hashes: 1, send: async (app, isKnown) => await requestToken(app, { grant_type: 'password', username: address(isKnown), password: 'wrong' }) },
  {
    name: 'a sign-up',
    hashes: 1,
    send: async (app, isKnown, index) => await sendJson(app, 'POST', '/signup', {
      username: `user-${isKnown ? 'a' : 'b'}-${index}`, email: isKnown ? 'ada@example.com' : `user-${index}@example.com`, password: NEW_PASSWORD
    })
  }
]

// What else is run belongs to the connections, and to what is done from time to time.
const OF_REQUESTS = /^begin immediate$|users|outbox|audit_events|one_time_tokens|throttles|known_networks/

/** The texts of the statements that run meanwhile, and how many passwords are hashed. */
async function watch (t: Test, app: FastifyInstance, work: () => Promise<unknown>): Promise<{ statements: string[], hashes: number }> {
  const ran = (['run', 'all', 'get'] as const).map((method) => t.capture(StatementSync.prototype, method, StatementSync.prototype[method]))
  const hashed = [t.capture(app.passwordHasher, 'hash', app.passwordHasher.hash), t.capture(app.passwordHasher, 'verify', app.passwordHasher.verify)]
  await work()
  const statements = ran.flatMap((calls) => calls().map(({ receiver }) => (receiver as StatementSync).sourceSQL)).filter((sql) => OF_REQUESTS.test(sql))
  const hashes = hashed.reduce((sum, calls) => sum + calls().length, 0)
  for (const capture of [...ran, ...hashed]) capture.restore()
  return { statements, hashes }
}

/** What a quarter of the samples is faster than: other work on the machine makes samples slower, and never faster. */
function lowerQuartile (values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] as number
}

for (const { name, hashes, send } of pairs) {
  t.test(`${name} for somebody who is there and for nobody`, async (t) => {
    const app = await build(t, ENV)
    await addUser(app)
    await send(app, true, 0)
    await send(app, false, 0)

    t.test('has the same answer after the same work', async (t) => {
      await forgetCounts(app)
      const known = await watch(t, app, async () => await send(app, true, 1))
      const unknown = await watch(t, app, async () => await send(app, false, 1))

      t.strictSame(known, unknown)
      t.equal(known.hashes, hashes)
      t.ok(known.statements.includes('begin immediate'), 'something is written')
      t.strictSame(bytesOf(await send(app, true, 2)), bytesOf(await send(app, false, 2)))
    })

    t.test('takes the same time', async (t) => {
      const times = { known: [] as number[], unknown: [] as number[] }
      const measure = async (isKnown: boolean, index: number): Promise<void> => {
        await forgetCounts(app)
        const start = performance.now()
        await send(app, isKnown, index)
        times[isKnown ? 'known' : 'unknown'].push(performance.now() - start)
      }

      for (let index = 10; index < 10 + SAMPLES; index++) {
        await measure(index % 2 === 0, index)
        await measure(index % 2 === 1, index)
      }

      const ratio = lowerQuartile(times.known) / lowerQuartile(times.unknown)
      t.comment(`${ratio.toFixed(2)} of ${lowerQuartile(times.unknown).toFixed(2)} ms`)
      t.ok(ratio < LARGEST_RATIO && ratio > 1 / LARGEST_RATIO, 'the times are close')
    })
  })
}
