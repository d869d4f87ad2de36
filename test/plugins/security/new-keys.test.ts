import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { LOOK_AGAIN_MS } from '../../../plugins/security/key-ring.ts'
import { build, isOAuthError, logIn, postForm, readProfile, refresh, stopClock, testEnv } from '../../helper.ts'
import { isRefused } from '../../tokens.ts'

/** Two processes on one database, of which the second has not looked for keys since the first has made one that signs at once. */
async function buildPair (t: Test): Promise<{ one: FastifyInstance, two: FastifyInstance, advance: (ms: number) => void, looks: () => number }> {
  const env = testEnv(t)
  const [one, two] = [await build(t, env), await build(t, env)]
  const { advance } = stopClock(two)
  const lists = t.capture(two.signingKeys, 'list', two.signingKeys.list)
  let looks = 0
  await one.keyRing.rotate({ immediately: true }, {})
  return { one, two, advance, looks: () => { looks += lists().length; return looks } }
}

t.test('A token of a key that another process has just made is taken at once', async (t) => {
  const { one, two, looks } = await buildPair(t)
  const { access_token: token } = await logIn(one)

  const responses = await Promise.all(Array.from({ length: 10 }, async () => await readProfile(two, token)))

  t.strictSame(responses.map(({ statusCode }) => statusCode), Array(10).fill(200))
  t.equal(looks(), 1, 'all wait for one look')
})

t.test('A token of such a key can be revoked', async (t) => {
  const { one, two } = await buildPair(t)
  const { access_token: token, refresh_token: refreshToken } = await logIn(one)

  const response = await postForm(two, '/revoke', { token })

  t.equal(response.statusCode, 200)
  isOAuthError(t, await refresh(one, refreshToken), 400, 'invalid_grant')
})

t.test('Tokens of keys that nobody has make a process look once in a while, and are refused', async (t) => {
  const { one, two, advance, looks } = await buildPair(t)
  const stranger = await build(t)
  const { access_token: token } = await logIn(stranger)
  const { access_token: good } = await logIn(one)

  for (let count = 0; count < 5; count++) await isRefused(t, two, token)
  t.equal(looks(), 1)
  t.equal((await readProfile(two, good)).statusCode, 200)
  advance(LOOK_AGAIN_MS - 1)
  await isRefused(t, two, token)
  t.equal(looks(), 1)
  advance(1)
  await isRefused(t, two, token)
  t.equal(looks(), 2)
})

t.test('A look that fails is not the fault of the token', async (t) => {
  const { one, two } = await buildPair(t)
  const { access_token: token } = await logIn(one)
  t.intercept(two.signingKeys, 'list', { value: async () => { throw new Error('the disk is gone') } })

  const response = await readProfile(two, token)

  t.equal(response.statusCode, 500)
})
