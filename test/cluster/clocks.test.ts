import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { build, createUser, logIn, readProfile, refresh, testEnv } from '../helper.ts'
import { emptySchema, needsPostgres } from '../postgres.ts'
import { BEHIND_PROXY, failFrom, PASSWORD, SECOND, tryFrom } from '../throttles.ts'

const HERE = '203.0.113.9'
const ADA = { grant_type: 'password', username: 'ada', password: PASSWORD }
const MINUTE = 60 * SECOND

interface Scene {
  right: FastifyInstance
  wrong: FastifyInstance
  advance: (ms: number) => void
}

/** Two replicas on one database, the clock of one of which is wrong. */
async function openPair (t: Test, wrongBy: () => number): Promise<Scene> {
  const env = testEnv(t, { ...BEHIND_PROXY, DATABASE_URL: await emptySchema(t) })
  let now = Date.now()
  const right = await build(t, env)
  right.clock.now = () => now
  const wrong = await build(t, env)
  wrong.clock.now = () => now + wrongBy()
  await createUser(right, { username: 'ada', password: PASSWORD })
  return { right, wrong, advance: (ms) => { now += ms } }
}

if (await needsPostgres(t)) {
  for (const wrongBy of [MINUTE, -MINUTE]) {
    t.test(`A clock that is wrong by ${wrongBy / SECOND} seconds`, async (t) => {
      t.test('lets each replica take the tokens of the other', async (t) => {
        const { right, wrong } = await openPair(t, () => wrongBy)

        for (const [from, to] of [[right, wrong], [wrong, right]] as const) {
          const tokens = await logIn(from, ADA)
          t.equal((await readProfile(to, tokens.access_token)).statusCode, 200)
          const refreshed = await refresh(to, tokens.refresh_token)
          t.equal(refreshed.statusCode, 200)
          t.equal((await readProfile(from, refreshed.json().access_token)).statusCode, 200)
        }
      })

      t.test('changes no key', async (t) => {
        const { right, wrong } = await openPair(t, () => wrongBy)

        await Promise.all([right, wrong].map(async ({ keyRing }) => { await keyRing.lookAgain() }))

        t.equal(wrong.keyRing.current().kid, right.keyRing.current().kid)
        t.equal((await right.signingKeys.list()).length, 1)
      })

      t.test('makes nobody wait for longer, or shorter, than by what it is wrong', async (t) => {
        const { right, wrong, advance } = await openPair(t, () => wrongBy)
        await failFrom(wrong, HERE, 6)

        const refused = await tryFrom(right, HERE, PASSWORD)
        advance(MINUTE + 2 * SECOND)
        const later = await tryFrom(right, HERE, PASSWORD)

        t.equal(refused.statusCode, wrongBy > 0 ? 429 : 200)
        t.equal(later.statusCode, 200)
      })
    })
  }

  t.test('When a clock jumps by ten minutes and back, those who are logged in stay, and nobody is shut out', async (t) => {
    let wrongBy = 0
    const { right, wrong } = await openPair(t, () => wrongBy)
    const tokens = await logIn(right, ADA)

    wrongBy = 10 * MINUTE
    const expired = await readProfile(wrong, tokens.access_token)
    const ahead = await refresh(wrong, tokens.refresh_token)
    wrongBy = 0
    const goesOn = await refresh(wrong, ahead.json().refresh_token)

    t.equal(expired.statusCode, 401)
    t.equal(ahead.statusCode, 200)
    t.equal(goesOn.statusCode, 200)
    t.equal((await readProfile(right, goesOn.json().access_token)).statusCode, 200)
    t.equal((await readProfile(right, tokens.access_token)).statusCode, 200)
  })
}
