import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { auditEvents, build, interleave, isOAuthError, logIn, readProfile, refresh, stopClock, temporaryDirectory, type Tokens } from '../../helper.ts'

const GRACE = 10_000
const HOUR = 60 * 60 * 1000

/** Logs in and refreshes; gives the tokens of all generations. */
async function rotations (app: FastifyInstance, count: number): Promise<Tokens[]> {
  const tokens = [await logIn(app)]
  for (let generation = 0; generation < count; generation++) {
    const response = await refresh(app, (tokens.at(-1) as Tokens).refresh_token)
    if (response.statusCode !== 200) throw new Error(`refresh failed: ${response.body}`)
    tokens.push(response.json())
  }
  return tokens
}

const thefts = [
  { name: 'the parent of the newest token after the grace', rotated: 1, wait: GRACE + 1 },
  { name: 'the grandparent of the newest token within the grace', rotated: 2, wait: 0 },
  { name: 'the first of three tokens that were replaced in one second', rotated: 3, wait: 0 },
  { name: 'the parent of the newest token after the clock was set back', rotated: 1, wait: -HOUR }
]

for (const { name, rotated, wait } of thefts) {
  t.test(`${name} ends the session`, async (t) => {
    const app = await build(t)
    const clock = stopClock(app)
    const tokens = await rotations(app, rotated)
    const other = await logIn(app)
    clock.advance(wait)

    const replay = await refresh(app, tokens[0]?.refresh_token ?? '')

    isOAuthError(t, replay, 400, 'invalid_grant')
    clock.advance(-wait) // so that nothing but the session's end can refuse the tokens
    for (const { access_token: accessToken, refresh_token: refreshToken } of tokens) {
      const response = await refresh(app, refreshToken)
      isOAuthError(t, response, 400, 'invalid_grant')
      t.equal(response.body, replay.body)
      t.equal((await readProfile(app, accessToken)).statusCode, 401)
    }
    t.equal((await readProfile(app, other.access_token)).statusCode, 200)
    t.equal((await refresh(app, other.refresh_token)).statusCode, 200)
  })
}

t.test('the grace begins with the rotation and does not grow with each replay', async (t) => {
  const app = await build(t)
  const clock = stopClock(app)
  const [parent, child] = await rotations(app, 1) as [Tokens, Tokens]
  clock.advance(GRACE)
  const graced = await refresh(app, parent.refresh_token)
  clock.advance(1)

  const late = await refresh(app, parent.refresh_token)

  t.equal(graced.json().refresh_token, child.refresh_token)
  isOAuthError(t, late, 400, 'invalid_grant')
  isOAuthError(t, await refresh(app, child.refresh_token), 400, 'invalid_grant')
})

t.test('without a grace the parent of the newest token ends the session a moment later', async (t) => {
  const app = await build(t, { REFRESH_GRACE: '0' })
  const clock = stopClock(app)
  const [parent, child] = await rotations(app, 1) as [Tokens, Tokens]
  clock.advance(1)

  const replay = await refresh(app, parent.refresh_token)

  isOAuthError(t, replay, 400, 'invalid_grant')
  isOAuthError(t, await refresh(app, child.refresh_token), 400, 'invalid_grant')
})

t.test('a session that a theft has ended stays dead after a restart', async (t) => {
  const DATABASE_URL = `file:${temporaryDirectory(t)}/latchkey.db`
  const before = await build(t, { DATABASE_URL })
  const clock = stopClock(before)
  const tokens = await rotations(before, 1)
  const other = await logIn(before)
  clock.advance(GRACE + 1)
  isOAuthError(t, await refresh(before, tokens[0]?.refresh_token ?? ''), 400, 'invalid_grant')
  await before.close()

  const after = await build(t, { DATABASE_URL })

  for (const { access_token: accessToken, refresh_token: refreshToken } of tokens) {
    isOAuthError(t, await refresh(after, refreshToken), 400, 'invalid_grant')
    t.equal((await readProfile(after, accessToken)).statusCode, 401)
  }
  t.equal((await readProfile(after, other.access_token)).statusCode, 200)
  t.equal((await refresh(after, other.refresh_token)).statusCode, 200)
})

t.test('a theft is recognized after a restart', async (t) => {
  const DATABASE_URL = `file:${temporaryDirectory(t)}/latchkey.db`
  const before = await build(t, { DATABASE_URL })
  const tokens = await rotations(before, 2)
  await before.close()
  const after = await build(t, { DATABASE_URL })

  const replay = await refresh(after, tokens[0]?.refresh_token ?? '')

  isOAuthError(t, replay, 400, 'invalid_grant')
  isOAuthError(t, await refresh(after, tokens[2]?.refresh_token ?? ''), 400, 'invalid_grant')
  t.equal((await auditEvents(after, 'refresh_token_reuse')).length, 1)
})

t.test('a theft is audited once, however often and at how many doors the thief knocks', async (t) => {
  const app = await build(t)
  const tokens = await rotations(app, 2)

  const parallel = await interleave(t, [app], Array(20).fill(async () => await refresh(app, tokens[0]?.refresh_token ?? '')))
  const later = await refresh(app, tokens[0]?.refresh_token ?? '')

  for (const response of [...parallel, later]) isOAuthError(t, response, 400, 'invalid_grant')
  t.equal((await auditEvents(app, 'refresh_token_reuse')).length, 1)
})

t.test('a thief who races with the honest client leaves no live token', async (t) => {
  const app = await build(t)
  const tokens = await rotations(app, 2)

  const responses = await interleave(t, [app], [2, 0, 2, 0].map((generation) => async () => await refresh(app, tokens[generation]?.refresh_token ?? '')))

  const newest = responses.filter(({ statusCode }) => statusCode === 200).map((response) => response.json())
  for (const { access_token: accessToken, refresh_token: refreshToken } of [...tokens, ...newest]) {
    isOAuthError(t, await refresh(app, refreshToken), 400, 'invalid_grant')
    t.equal((await readProfile(app, accessToken)).statusCode, 401)
  }
})

t.test('a token that another client presents is refused and costs its owner nothing', async (t) => {
  const app = await build(t)
  const [parent, child] = await rotations(app, 1) as [Tokens, Tokens]
  const { sid } = app.accessTokens.verify(child.access_token)
  await app.db.updateTable('sessions').set({ client_id: 'somebody-else' }).where('id', '=', sid).execute()

  isOAuthError(t, await refresh(app, child.refresh_token), 400, 'invalid_grant')
  isOAuthError(t, await refresh(app, parent.refresh_token), 400, 'invalid_grant')

  const session = await app.db.selectFrom('sessions').select(['generation', 'revoked_at']).where('id', '=', sid).executeTakeFirst()
  t.same(session, { generation: 1, revoked_at: null })
})
