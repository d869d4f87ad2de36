import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { PUBLISH_AHEAD_MS } from '../../lib/key-schedule.ts'
import { compact, signers } from '../tokens.ts'
import { logIn, stopClock, temporaryDirectory } from '../helper.ts'
import { buildIssuer } from '../listen.ts'
import { checkCaching, checkLogin, checkPaths, checkSpoofing, checkTokens } from './gateway-cases.ts'
import { canRunProgram, startGateway } from './gateway.ts'
import { HAPROXY, writeKeys } from './haproxy.ts'

t.test('HAProxy, which checks tokens by itself', async (t) => {
  if (!canRunProgram(t, HAPROXY.path)) return

  for (const [name, check] of Object.entries({ checkSpoofing, checkPaths, checkCaching })) {
    t.test(name, async (t) => { check(t, await startGateway(t, HAPROXY)) })
  }
  t.test('tokens', async (t) => { checkTokens(t, await startGateway(t, HAPROXY), { revokedStatus: 200 }) })

  t.test('a token that somebody else signed is refused, whatever it says of its key', async (t) => {
    const { ask, app, forge } = await startGateway(t, HAPROXY)
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { header, claims } = forge
    const known = createPublicKey(app.keyRing.current().privatePem).export({ type: 'spki', format: 'pem' })

    for (const token of [
      compact(header, claims, signers.ES256(privateKey)),
      compact({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, claims, signers.ES256(privateKey)),
      compact({ ...header, alg: 'HS256' }, claims, signers.HS256(known)),
      compact({ ...header, alg: ['ES256'] }, claims, signers.ES256(privateKey)),
      forge.withClaims({ exp: 'never' }),
      forge.withClaims({ exp: undefined }),
      forge.withClaims({ exp: -1 })
    ]) t.equal((await ask('GET /things', [`authorization: Bearer ${token}`])).answer.status, 401)
  })

  t.test('a new key counts when its file is there and HAProxy has read it', async (t) => {
    const { ask, app, directory, reload } = await startGateway(t, HAPROXY)
    const statusOf = async (token: string): Promise<number> => (await ask('GET /things', [`authorization: Bearer ${token}`])).answer.status
    const { access_token: old } = await logIn(app)
    await app.keyRing.rotate({ immediately: true }, {})
    const { access_token: fresh } = await logIn(app)
    t.strictSame([await statusOf(old), await statusOf(fresh)], [200, 401])

    const changed = await writeKeys(`${app.config.publicUrl}/.well-known/jwks.json`, join(directory, 'keys'))
    reload()
    while (await statusOf(fresh) === 401) await pause(20)

    t.equal(changed.length, 4)
    t.strictSame([await statusOf(old), await statusOf(fresh)], [401, 200], 'and the leaked one counts no more')
  })

  t.test('log-in and profile go to Latchkey, which sees where they come from', async (t) => { await checkLogin(t, await startGateway(t, HAPROXY)) })
})

t.test('The keys for gateways', async (t) => {
  t.test('are written once, and again when they have changed', async (t) => {
    const { app, issuer } = await buildIssuer(t)
    const url = `${issuer}/.well-known/jwks.json`
    const directory = join(temporaryDirectory(t), 'keys')
    const files = [1, 2, 3, 4].map((slot) => join(directory, `${slot}.pem`))
    const read = (): string[] => files.map((file) => readFileSync(file, 'utf8'))

    const first = await writeKeys(url, directory)
    const alone = read()
    const again = await writeKeys(url, directory)
    await app.keyRing.rotate({ immediately: false }, {})
    const changed = await writeKeys(url, directory)
    const both = read()

    t.strictSame(first, files)
    t.equal(new Set(alone).size, 1)
    t.match(alone[0], /^-----BEGIN PUBLIC KEY-----\n/)
    t.strictSame(again, [])
    t.equal(changed.length > 0, true)
    t.equal(new Set(both).size, 2)
    t.ok(both.includes(alone[0] as string), 'the old key is there as long as it signs')
  })

  t.test('stay as they are when Latchkey does not answer or has too many', async (t) => {
    const { app, issuer } = await buildIssuer(t)
    const { advance } = stopClock(app)
    const url = `${issuer}/.well-known/jwks.json`
    const directory = temporaryDirectory(t)
    await writeKeys(url, directory)
    for (let count = 0; count < 4; count++) {
      await app.keyRing.rotate({ immediately: false }, {})
      advance(PUBLISH_AHEAD_MS)
    }

    await t.rejects(writeKeys(url, directory), /has 5 keys; 1 to 4 can be written/)
    await t.rejects(writeKeys(`${issuer}/nothing`, directory), { code: 1, stderr: `${issuer}/nothing answered 404\n` })
    await t.rejects(writeKeys('http://127.0.0.1:1', directory), { code: 1, stderr: /^fetch failed: [^\n]+\n$/ })
    await t.rejects(writeKeys(url), { code: 2, stderr: 'usage: node jwks-to-pem.ts JWKS_URL DIRECTORY\n' })
    await t.rejects(writeKeys(), { code: 2 })
    t.strictSame(await readFileSync(join(directory, '1.pem'), 'utf8'), readFileSync(join(directory, '4.pem'), 'utf8'))
  })
})
