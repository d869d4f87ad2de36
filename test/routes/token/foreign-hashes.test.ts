import t from 'tap'
import { ARGON2_SAMPLES, FOREIGN_SAMPLES, PASSPHRASE } from '../../fixtures/foreign-hashes.ts'
import { build, captureLog, createUser, isOAuthError, requestToken } from '../../helper.ts'

const CURRENT = /^\$argon2id\$v=19\$m=8,t=1,p=1\$/

/** The service with a user for each hash, whose name is its number. */
async function buildWith (t: Parameters<typeof build>[0], hashes: readonly string[], logger = captureLog()) {
  const app = await build(t, { HASH_QUEUE_MS: '60000' }, logger.logger)
  for (const [index, passwordHash] of hashes.entries()) await app.users.create({ username: `user${index}`, passwordHash }, {})
  const hashOf = async (username: string): Promise<string | null | undefined> => (await app.users.findForLogin(username))?.passwordHash
  const logIn = async (username: string, password: string) => await requestToken(app, { grant_type: 'password', username, password })
  return { app, hashOf, logIn, lines: () => logger.lines }
}

t.test('POST /token with a hash that another program made', async (t) => {
  const samples = [...ARGON2_SAMPLES, ...FOREIGN_SAMPLES]
  const { hashOf, logIn } = await buildWith(t, samples.map(({ hash }) => hash))

  for (const [index, { madeBy, command, password, hash }] of samples.entries()) {
    t.test(`lets the owner in, and replaces it by argon2id: ${madeBy}, ${command}`, async (t) => {
      const username = `user${index}`

      const wrong = await logIn(username, `.${password.slice(1)}`)
      const untouched = await hashOf(username)
      const right = await logIn(username, password)
      const replaced = await hashOf(username)
      const again = await logIn(username, password)

      isOAuthError(t, wrong, 400, 'invalid_grant')
      t.equal(untouched, hash)
      t.equal(right.statusCode, 200)
      t.match(replaced, CURRENT)
      t.equal(again.statusCode, 200)
      t.equal(await hashOf(username), replaced)
    })
  }
})

t.test('POST /token after a hash was replaced takes the whole password, in whatever form it is typed', async (t) => {
  t.test('where bcrypt saw the first 72 bytes', async (t) => {
    const { logIn } = await buildWith(t, ['$2b$10$chmB.FbjK5jIyh9Wm87S2OEGTI4s3ua3ZZvFxmmxKA5rEce3RAVne'])

    t.equal((await logIn('user0', 'x'.repeat(80))).statusCode, 200)
    t.equal((await logIn('user0', 'x'.repeat(72))).statusCode, 400)
    t.equal((await logIn('user0', 'x'.repeat(80))).statusCode, 200)
  })

  t.test('where the other program did not normalize it', async (t) => {
    const decomposed = 'crème brûlée'.normalize('NFD')
    const { logIn } = await buildWith(t, FOREIGN_SAMPLES.filter(({ password }) => password === decomposed).map(({ hash }) => hash))

    t.equal((await logIn('user0', decomposed)).statusCode, 200)
    t.equal((await logIn('user0', decomposed)).statusCode, 200)
    t.equal((await logIn('user0', decomposed.normalize('NFC'))).statusCode, 200)
  })
})

const hostile = [
  ['bcrypt of cost 31', `$2b$31$${'.'.repeat(53)}`],
  ['scrypt with 8 TiB', '$scrypt$ln=30,r=64,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
  ['PBKDF2 with 2^31 iterations', 'pbkdf2_sha256$2147483648$salt$DRAOIbjvOGA9VLnPc4Jn2GO3AWU3C0zSaz6uaBxtFvg='],
  ['phpass with 2^63 rounds', '$P$z55D6LjfHDkINU5wF.v2BuuzO0/XPk/'],
  ['Argon2 with 4 TiB', '$argon2id$v=19$m=4294967295,t=2,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
  ['malformed base64', '{SSHA}!!!'],
  ['an empty salt', 'pbkdf2:sha256:1000$$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56'],
  ['a password in clear', PASSPHRASE]
] as const

t.test('POST /token with a hash that must not be verified', async (t) => {
  const { app, hashOf, logIn, lines } = await buildWith(t, hostile.map(([, hash]) => hash))
  await createUser(app)
  const nobody = await logIn('nobody', PASSPHRASE)

  for (const [index, [name, hash]] of hostile.entries()) {
    t.test(`answers as for nobody, and tells the operator: ${name}`, async (t) => {
      const before = lines().length

      const response = await logIn(`user${index}`, PASSPHRASE)

      t.equal(response.body, nobody.body)
      isOAuthError(t, response, 400, 'invalid_grant')
      t.equal(await hashOf(`user${index}`), hash)
      t.match(lines().slice(before).filter(({ level }) => level === 50), [{ msg: 'A stored password hash is malformed or costs too much; its user can not log in' }])
    })
  }

  t.equal((await logIn('ada', PASSPHRASE)).statusCode, 200)
})
