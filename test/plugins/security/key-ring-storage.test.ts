import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { pino } from 'pino'
import t from 'tap'
import { buildApp } from '../../../app.ts'
import { loadConfig } from '../../../lib/config.ts'
import { KEY_RELOAD_MS } from '../../../plugins/security/key-maintenance.ts'
import { build, captureLog, logIn, readProfile, requestToken, SECRET, testEnv, type Env } from '../../helper.ts'

const NEW_SECRET = 'another-secret-0123456789-abcdefghijklmnopqrstuvw'

const toPem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }) as string

async function start (env: Env): Promise<void> {
  const app = await buildApp(loadConfig(env), pino({ level: 'silent' }))
  await app.close()
}

t.test('the database holds no key that could be used without the secret', async (t) => {
  const app = await build(t)

  const [stored] = await app.signingKeys.list()

  t.notMatch(stored?.privateKey, 'PRIVATE KEY')
  t.notMatch(Buffer.from(stored?.privateKey ?? '', 'base64url').toString('latin1'), 'PRIVATE KEY')
})

t.test('without the secret that sealed its keys the service does not start', async (t) => {
  const env = testEnv(t)
  await start(env)

  await t.rejects(start({ ...env, LATCHKEY_SECRET: NEW_SECRET }), { name: 'StartupError', message: /^The service secret does not open the signing keys/ })
})

t.test('a secret is changed by a list, and then the old one is not needed any more', async (t) => {
  const env = testEnv(t)
  const before = await build(t, env)
  const { access_token: token } = await logIn(before)
  await before.close()

  await start({ ...env, LATCHKEY_SECRET: `${NEW_SECRET},${SECRET}` })
  const after = await build(t, { ...env, LATCHKEY_SECRET: NEW_SECRET })

  t.equal((await readProfile(after, token)).statusCode, 200)
})

t.test('a key that does not fit its row stops the start, which says which key it is', async (t) => {
  const p384 = toPem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)
  const shortRsa = toPem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
  const smallExponent = toPem(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey)
  const otherP256 = toPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  const cases = [
    { name: 'another curve', alg: 'ES256', pem: p384, message: /^A signing key in the database can't be used: a key for ES256 is of another type, too small or on another curve$/ },
    { name: 'a short RSA key', alg: 'RS256', pem: shortRsa, message: /can't be used: a key for RS256 is/ },
    { name: 'a small exponent', alg: 'RS256', pem: smallExponent, message: /can't be used: a key for RS256 is/ },
    { name: 'another algorithm', alg: 'RS256', pem: otherP256, message: /can't be used: a key for RS256 is/ },
    { name: 'P-256 under the name of P-384', alg: 'ES384', pem: otherP256, message: /can't be used: the algorithm of key KID is not supported$/ },
    { name: 'another key', alg: 'ES256', pem: otherP256, message: /can't be used: key KID is not the key that its thumbprint names$/ },
    { name: 'a secret of a symmetric algorithm', alg: 'HS256', pem: SECRET, message: /can't be used: the algorithm of key KID is not supported$/ },
    { name: 'something else', alg: 'ES256', pem: 'no key', message: /can't be used: key KID is not a private key$/ }
  ]
  for (const { name, alg, pem, message } of cases) {
    t.test(name, async (t) => {
      const env = testEnv(t)
      const app = await build(t, env)
      const { kid } = app.keyRing.current()
      const privateKey = app.vault.seal(pem, `signing key ${kid}`)
      await app.db.updateTable('signing_keys').set({ alg, private_key: privateKey }).execute()
      await app.close()

      await t.rejects(start(env), { name: 'StartupError', message: new RegExp(message.source.replace('KID', kid)) })
    })
  }
})

t.test('a sealed key does not open in the row of another', async (t) => {
  const env = testEnv(t)
  const app = await build(t, env)
  const next = await app.keyRing.rotate({ immediately: false }, {})
  const stored = await app.signingKeys.list()
  const first = stored.find(({ kid }) => kid !== next.kid)
  await app.signingKeys.reseal(next.kid, first?.privateKey ?? '')
  await app.close()

  await t.rejects(start(env), { name: 'StartupError' })
})

t.test('if somebody revokes every key by hand, a new one signs', async (t) => {
  const app = await build(t)
  const revoked = app.keyRing.current().kid
  await app.db.updateTable('signing_keys').set({ revoked_at: Date.now() }).execute()

  await app.keyRing.maintain()

  const { access_token: token } = await logIn(app)
  t.not(app.keyRing.current().kid, revoked)
  t.equal((await readProfile(app, token)).statusCode, 200)
})

t.test('without any key a log-in is refused and the service is not ready', async (t) => {
  const app = await build(t)
  await app.db.updateTable('signing_keys').set({ revoked_at: Date.now() }).execute()
  t.intercept(app.signingKeys, 'add', { value: async () => { throw new Error('disk full') } })

  await t.rejects(app.keyRing.maintain(), { message: 'disk full' })

  t.throws(() => app.keyRing.current(), { message: 'There is no signing key' })
  t.equal((await requestToken(app)).statusCode, 500)
  t.match((await app.inject({ url: '/health/ready' })).json(), { failed: ['signing_keys'] })
  t.strictSame((await app.inject({ url: '/.well-known/jwks.json' })).json(), { keys: [] })
})

t.test('the keys are looked after every five seconds until the service stops', async (t) => {
  const timers: Array<{ timer: NodeJS.Timeout, run: () => void }> = []
  const realSetInterval = setInterval
  t.intercept(globalThis, 'setInterval', {
    value: (run: () => void, delay: number) => {
      const timer = realSetInterval(run, delay)
      if (delay === KEY_RELOAD_MS) timers.push({ timer, run })
      return timer
    }
  })
  const cleared = t.capture(globalThis, 'clearInterval', clearInterval)
  const log = captureLog('error')
  const app = await build(t, {}, log.logger)
  t.equal(KEY_RELOAD_MS, 5000)
  const [looker, ...others] = timers.filter(({ timer }) => !timer.hasRef())
  t.strictSame(others, [])

  t.test('what it finds is taken over', async (t) => {
    const { kid } = app.keyRing.current()
    await app.db.updateTable('signing_keys').set({ revoked_at: Date.now() }).execute()
    const maintained = new Promise<void>((resolve) => {
      const { maintain } = app.keyRing
      t.intercept(app.keyRing, 'maintain', { value: async () => { await maintain(); resolve() } })
    })

    looker?.run()
    await maintained

    t.equal(app.keyRing.find(kid), undefined)
  })

  t.test('a fault is logged and the process lives', async (t) => {
    t.intercept(app.keyRing, 'maintain', { value: async () => { throw new Error('no database') } })

    looker?.run()
    await new Promise((resolve) => { setImmediate(resolve) })

    t.match(log.lines, [{ level: 50, msg: 'The signing keys could not be looked after', err: { message: 'no database' } }])
  })

  t.test('and the end of the service is the end of it', async (t) => {
    await app.close()

    t.ok(cleared().some(({ args: [timer] }) => timer === looker?.timer))
  })
})
