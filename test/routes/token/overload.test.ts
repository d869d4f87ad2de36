import t from 'tap'
import { auditEvents, build, interleave, isOAuthError, JOHN, lockDatabase, logIn, readProfile, refresh, requestToken } from '../../helper.ts'
import { until } from '../../postgres.ts'

t.test('more log-ins than there is time for', async (t) => {
  // A hash must take long enough that all log-ins are there before the first one is done.
  const SLOW = { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '0', ARGON2_MEMORY_KIB: '65536' }

  t.test('succeed or are sent away to come again, and nothing else', async (t) => {
    const app = await build(t, SLOW)

    const responses = await Promise.all(Array.from({ length: 20 }, async () => await requestToken(app)))

    const good = responses.filter(({ statusCode }) => statusCode === 200)
    const refused = responses.filter((response) => !good.includes(response))
    t.ok(good.length > 0)
    t.ok(refused.length > 0)
    for (const response of refused) {
      isOAuthError(t, response, 503, 'temporarily_unavailable')
      t.match(response.headers['retry-after'], /^[1-9]\d*$/)
    }
    t.equal((await app.db.selectFrom('sessions').select('id').execute()).length, good.length)
    t.equal((await auditEvents(app, 'login')).length, good.length)
  })

  t.test('are sent away alike whether or not the user exists and the password is right', async (t) => {
    const app = await build(t, SLOW)
    const first = requestToken(app)

    const responses = await Promise.all([
      requestToken(app),
      requestToken(app, { ...JOHN, password: 'wrong' }),
      requestToken(app, { ...JOHN, username: 'eve' })
    ])

    const [reference] = responses
    for (const response of responses) {
      isOAuthError(t, response, 503, 'temporarily_unavailable')
      t.equal(response.body, reference.body)
      t.strictSame({ ...response.headers, date: '' }, { ...reference.headers, date: '' })
    }
    t.equal((await first).statusCode, 200)
  })

  t.test('do not hold up those who are logged in', async (t) => {
    const app = await build(t, { HASH_CONCURRENCY: '1' })
    const tokens = await logIn(app)
    const { promise: isFree, resolve: free } = Promise.withResolvers<void>()
    const hash = app.passwordHasher.hash('a password of the test', { network: 'the test', isKnown: true, begin: async () => { await isFree } })
    const waiting = requestToken(app)
    t.ok(await until(() => app.passwordHasher.queue.waiting === 1))

    const refreshed = await refresh(app, tokens.refresh_token)
    const profile = await readProfile(app, tokens.access_token)

    t.equal(app.passwordHasher.queue.waiting, 1)
    t.equal(refreshed.statusCode, 200)
    t.equal(profile.statusCode, 200)
    free()
    await hash
    t.equal((await waiting).statusCode, 200)
  })

  t.test('are all served when the wait is short enough', async (t) => {
    const app = await build(t, { HASH_CONCURRENCY: '1', HASH_QUEUE_MS: '60000' })

    const responses = await Promise.all(Array.from({ length: 20 }, async () => await requestToken(app)))

    t.strictSame(responses.map(({ statusCode }) => statusCode), Array(20).fill(200))
  })
})

t.test('while another program holds the database', async (t) => {
  t.test('nobody gets a token, the answer tells nothing, and all goes on as before after that', async (t) => {
    const app = await build(t)
    const tokens = await logIn(app)
    const release = lockDatabase(t, app)

    const responses = await Promise.all([
      refresh(app, tokens.refresh_token),
      requestToken(app),
      requestToken(app, { ...JOHN, password: 'wrong' }),
      requestToken(app, { ...JOHN, username: 'eve' })
    ])
    const profile = await readProfile(app, tokens.access_token)
    release()

    const [reference] = responses
    for (const response of responses) {
      isOAuthError(t, response, 503, 'temporarily_unavailable')
      t.match(response.headers['retry-after'], /^[1-9]\d*$/)
      t.equal(response.body, reference.body)
    }
    t.equal(profile.statusCode, 200)
    t.equal((await requestToken(app)).statusCode, 200)
    const refreshed = await refresh(app, tokens.refresh_token)
    t.equal(refreshed.statusCode, 200)
    t.equal(app.refreshTokens.read(refreshed.json().refresh_token)?.generation, 1)
  })

  t.test('twenty refreshes of one token wait for it and give one successor', async (t) => {
    const app = await build(t)
    const { refresh_token: token } = await logIn(app)

    const responses = await interleave(t, [app], Array(20).fill(async () => await refresh(app, token)))

    t.strictSame(responses.map(({ statusCode }) => statusCode), Array(20).fill(200))
    t.equal(new Set(responses.map((response) => response.json().refresh_token)).size, 1)
    t.equal(app.refreshTokens.read(responses[0]?.json().refresh_token)?.generation, 1)
    t.equal((await refresh(app, responses[0]?.json().refresh_token)).statusCode, 200)
    t.strictSame(await auditEvents(app, 'refresh_token_reuse'), [])
  })

  t.test('a theft is no theft until it is written down, and then it is', async (t) => {
    const app = await build(t)
    const first = await logIn(app)
    const second = (await refresh(app, first.refresh_token)).json()
    const third = (await refresh(app, second.refresh_token)).json()
    const release = lockDatabase(t, app)

    const whileLocked = await refresh(app, first.refresh_token)
    release()
    const afterwards = await refresh(app, first.refresh_token)

    isOAuthError(t, whileLocked, 503, 'temporarily_unavailable')
    isOAuthError(t, afterwards, 400, 'invalid_grant')
    isOAuthError(t, await refresh(app, third.refresh_token), 400, 'invalid_grant')
    t.equal((await auditEvents(app, 'refresh_token_reuse')).length, 1)
  })
})
