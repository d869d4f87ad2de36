import { sign } from 'node:crypto'
import t from 'tap'
import { build, createUser, logIn, postForm, readProfile } from '../helper.ts'
import { createForge, encode, isInvalidToken, isRefused } from '../tokens.ts'

// The order of the group of P-256: signatures are pairs of numbers below it.
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const app = await build(t)
const forge = await createForge(app)
const [header = '', payload = '', signature = ''] = forge.token.split('.')
const signatureBytes = Buffer.from(signature, 'base64url')
const withSignature = (bytes: Buffer): string => `${header}.${payload}.${bytes.toString('base64url')}`

const toBytes = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
const r = BigInt(`0x${signatureBytes.subarray(0, 32).toString('hex')}`)
const s = BigInt(`0x${signatureBytes.subarray(32).toString('hex')}`)
const pair = (first: bigint, second: bigint): string => withSignature(Buffer.concat([toBytes(first), toBytes(second)]))

t.test('the token as it was issued is accepted', async (t) => {
  t.equal((await readProfile(app, forge.token)).statusCode, 200)
})

t.test('another structure is refused', async (t) => {
  const flattened = { protected: header, payload, signature }
  const refused = {
    'an empty text': '',
    'one segment': header,
    'two segments': `${header}.${payload}`,
    'two segments and a dot': `${header}.${payload}.`,
    'four segments': `${forge.token}.${signature}`,
    'three segments and a dot': `${forge.token}.`,
    'a dot and three segments': `.${forge.token}`,
    'the five segments of an encrypted token': `${encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}..${signature}.${payload}.${signature}`,
    'no header': `.${payload}.${signature}`,
    'no payload': `${header}..${signature}`,
    'only dots': '..',
    'the flattened JSON serialization': JSON.stringify(flattened),
    'the general JSON serialization': JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    'two tokens': `${forge.token},${forge.token}`,
    'quotes around it': `"${forge.token}"`,
    'more than 8 KiB': `${header}.${encode('x'.repeat(8000))}.${signature}`
  }
  for (const [name, token] of Object.entries(refused)) {
    t.test(name, async (t) => { await isRefused(t, app, token) })
  }
})

t.test('every other spelling of the same bytes is refused', async (t) => {
  for (const index of [0, 1, 2]) {
    const spell = (change: (segment: string) => string): string =>
      forge.token.split('.').map((segment, position) => position === index ? change(segment) : segment).join('.')
    const spellings = {
      'one sign of padding': spell((segment) => `${segment}=`),
      'two signs of padding': spell((segment) => `${segment}==`),
      'a sign outside the alphabet': spell((segment) => `${segment.slice(0, 8)}?${segment.slice(8)}`),
      'a space in front': spell((segment) => ` ${segment}`),
      'a space inside': spell((segment) => `${segment.slice(0, 8)} ${segment.slice(8)}`),
      'a space behind': spell((segment) => `${segment} `),
      'a tab inside': spell((segment) => `${segment.slice(0, 8)}\t${segment.slice(8)}`),
      'a percent sign': spell((segment) => `${segment.slice(0, 8)}%20${segment.slice(8)}`)
    }
    for (const [name, token] of Object.entries(spellings)) {
      t.test(`${name} in segment ${index}`, async (t) => {
        t.throws(() => app.accessTokens.verify(token), { name: 'InvalidTokenError' })
        // HTTP itself takes white space off the ends of a value.
        if (token.trim() === token) isInvalidToken(t, await readProfile(app, token))
      })
    }
    // No HTTP client can send these in a header.
    for (const lineBreak of ['\n', '\r\n', '\0']) {
      const token = spell((segment) => `${segment.slice(0, 8)}${lineBreak}${segment.slice(8)}`)
      t.throws(() => app.accessTokens.verify(token), { name: 'InvalidTokenError' })
    }
  }
})

t.test('the standard alphabet is refused', async (t) => {
  const { kid } = app.keyRing.current()
  // 'þÿ' and '~?' put both signs, - and _, into any segment.
  const claims = { ...forge.claims, x: '~~~???þÿ' }
  const token = forge.sign({ alg: 'ES256', typ: 'at+jwt', kid }, claims)
  const standard = token.replaceAll('-', '+').replaceAll('_', '/')

  t.equal((await readProfile(app, token)).statusCode, 200)
  t.not(standard, token)
  await isRefused(t, app, standard)
})

t.test('a signature has one spelling of sixteen', async (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const twins = [...alphabet].map((last) => forge.token.slice(0, -1) + last)
    .filter((token) => Buffer.from(token.slice(-86), 'base64url').equals(signatureBytes))
  t.equal(twins.length, 16)

  for (const twin of twins) {
    if (twin !== forge.token) await isRefused(t, app, twin)
  }
})

t.test('an ES256 signature that is no pair of numbers between 0 and n is refused', async (t) => {
  const numbers = { 0: 0n, 1: 1n, 'n - 1': N - 1n, n: N, 'n + 1': N + 1n, 'all ones': 2n ** 256n - 1n }
  for (const [name, number] of Object.entries(numbers)) {
    t.test(name, async (t) => {
      await isRefused(t, app, pair(number, s))
      await isRefused(t, app, pair(r, number))
      await isRefused(t, app, pair(number, number))
    })
  }
  t.test('that and the swapped pair', async (t) => {
    await isRefused(t, app, pair(s, r))
    await isRefused(t, app, pair(N - r, s))
  })
})

t.test('an ES256 signature of another length or form is refused', async (t) => {
  const { privatePem } = app.keyRing.current()
  const refused = {
    'cut by a byte': signatureBytes.subarray(0, 63),
    'cut in half': signatureBytes.subarray(0, 32),
    'one byte': Buffer.from([0]),
    'with a zero behind': Buffer.concat([signatureBytes, Buffer.from([0])]),
    'with a zero in front': Buffer.concat([Buffer.from([0]), signatureBytes]),
    'with zeros in front of both numbers': Buffer.concat([Buffer.from([0]), toBytes(r), Buffer.from([0]), toBytes(s)]),
    twice: Buffer.concat([signatureBytes, signatureBytes]),
    'in DER': sign('sha256', Buffer.from(`${header}.${payload}`), privatePem)
  }
  for (const [name, bytes] of Object.entries(refused)) {
    t.test(name, async (t) => { await isRefused(t, app, withSignature(bytes)) })
  }
})

t.test('what was signed can not be changed', async (t) => {
  const other = await createUser(app)
  const { access_token: second } = await logIn(app)
  const raised = encode({ ...forge.claims, scope: 'profile account users:write' })
  const refused = {
    'the scope': `${header}.${raised}.${signature}`,
    'the subject': `${header}.${encode({ ...forge.claims, sub: other.id })}.${signature}`,
    'the header': `${encode({ ...forge.header, typ: 'AT+JWT' })}.${payload}.${signature}`,
    'the signature of another token': `${header}.${payload}.${second.split('.')[2]}`,
    'the payload of another token': `${header}.${second.split('.')[1]}.${signature}`,
    ...Object.fromEntries([0, 31, 32, 63].map((index) => {
      const bytes = Buffer.from(signatureBytes)
      bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index)
      return [`a bit in byte ${index} of the signature`, withSignature(bytes)]
    }))
  }
  for (const [name, token] of Object.entries(refused)) {
    t.test(name, async (t) => { await isRefused(t, app, token) })
  }
})

t.test('the second signature that every ES256 token has dies with the session of the first', async (t) => {
  const { access_token: token } = await logIn(app)
  const bytes = Buffer.from(token.slice(-86), 'base64url')
  const second = toBytes(N - BigInt(`0x${bytes.subarray(32).toString('hex')}`))
  const twin = token.slice(0, -86) + Buffer.concat([bytes.subarray(0, 32), second]).toString('base64url')
  t.equal((await readProfile(app, token)).statusCode, 200)
  t.equal((await readProfile(app, twin)).statusCode, 200, 'mathematics makes it valid')

  await postForm(app, '/revoke', { token })

  isInvalidToken(t, await readProfile(app, token))
  isInvalidToken(t, await readProfile(app, twin))
})
