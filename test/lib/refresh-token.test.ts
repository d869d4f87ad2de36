import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { createRefreshTokens } from '../../lib/refresh-token.ts'
import { createVault } from '../../lib/vault.ts'
import { SECRET } from '../helper.ts'

const LAST_GENERATION = 2 ** 48 - 1
const NEW = `${SECRET}-new`

const vault = createVault([SECRET])
const tokens = createRefreshTokens(vault)

const content = { sessionId: '0190a6e0-7b5c-7def-8123-456789abcdef', generation: 7 }
const token = tokens.issue(content)

/** A token whose text has both characters that the standard alphabet writes otherwise. */
function tokenWithBothSpecials (): string {
  for (let generation = 0; ; generation++) {
    const candidate = tokens.issue({ ...content, generation })
    const text = candidate.slice(4)
    if (text.includes('-') && text.includes('_')) return candidate
  }
}

t.test('a token is lkr_ and the base64url of session id, generation and a code over both', async (t) => {
  const bytes = Buffer.from(token.slice(4), 'base64url')

  t.match(token, /^lkr_[A-Za-z0-9_-]{72}$/)
  t.equal(bytes.toString('hex', 0, 16), content.sessionId.replaceAll('-', ''))
  t.equal(bytes.readUIntBE(16, 6), 7)
  t.strictSame(bytes.subarray(22), vault.sign(bytes.subarray(0, 22)))
})

t.test('the session id and the generation survive', async (t) => {
  t.strictSame(tokens.read(token), content)

  fc.assert(fc.property(fc.uuid(), fc.maxSafeNat().map((n) => n % (LAST_GENERATION + 1)), (sessionId, generation) => {
    const read = tokens.read(tokens.issue({ sessionId, generation }))

    return read?.sessionId === sessionId && read.generation === generation
  }))
})

t.test('the first and the last generation survive, and there is none after', async (t) => {
  for (const generation of [0, LAST_GENERATION]) {
    t.strictSame(tokens.read(tokens.issue({ ...content, generation })), { ...content, generation })
  }
  for (const generation of [-1, LAST_GENERATION + 1]) {
    t.throws(() => tokens.issue({ ...content, generation }), RangeError)
  }
})

t.test('one generation always has the same token, every other generation and session another', async (t) => {
  t.equal(tokens.issue({ ...content }), token)
  t.equal(createRefreshTokens(createVault([SECRET])).issue(content), token, 'after a restart too')
  t.not(tokens.issue({ ...content, generation: 8 }), token)
  t.not(tokens.issue({ ...content, sessionId: uuidv7() }), token)
})

t.test('a thousand tokens are distinct, and so are their codes', async (t) => {
  const issued = Array.from({ length: 1000 }, (_, index) => tokens.issue(index % 2 === 0 ? { sessionId: uuidv7(), generation: 0 } : { ...content, generation: index }))
  const codes = issued.map((text) => Buffer.from(text.slice(4), 'base64url').toString('hex', 22))

  t.equal(new Set(issued).size, 1000)
  t.equal(new Set(codes).size, 1000)
  t.equal(new Set(codes.map((code) => code.slice(0, 16))).size, 1000, 'no two begin alike')
})

t.test('every flipped bit is refused', async (t) => {
  const bytes = Buffer.from(token.slice(4), 'base64url')

  const accepted = Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter((bit) => {
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    return tokens.read(`lkr_${flipped.toString('base64url')}`) !== undefined
  })

  t.equal(bytes.length, 54)
  t.strictSame(accepted, [])
})

t.test('no other spelling of a token is that token', async (t) => {
  const text = token.slice(4)
  const special = tokenWithBothSpecials()
  const spellings = [
    { name: 'the standard alphabet for -', spelling: `lkr_${special.slice(4).replaceAll('-', '+')}` },
    { name: 'the standard alphabet for _', spelling: `lkr_${special.slice(4).replaceAll('_', '/')}` },
    { name: 'padding', spelling: `${token}=` },
    { name: 'more padding', spelling: `${token}==` },
    { name: 'padding and more', spelling: `${token}=AAAA` },
    { name: 'a space in front', spelling: ` ${token}` },
    { name: 'a space after the prefix', spelling: `lkr_ ${text}` },
    { name: 'a line break at the end', spelling: `${token}\n` },
    { name: 'a NUL at the end', spelling: `${token}\0` },
    { name: 'a dangling character', spelling: `${token}A` },
    { name: 'another byte', spelling: `${token}AA` },
    { name: 'one character less', spelling: token.slice(0, -1) },
    { name: 'no prefix', spelling: text },
    { name: 'the prefix twice', spelling: `lkr_${token}` },
    { name: 'the prefix in capitals', spelling: `LKR_${text}` },
    { name: 'another prefix', spelling: `lkp_${text}` },
    { name: 'hexadecimal', spelling: `lkr_${Buffer.from(text, 'base64url').toString('hex')}` },
    { name: 'percent escapes', spelling: encodeURIComponent(`lkr_${text}=`) },
    { name: 'nothing', spelling: '' },
    { name: 'the prefix alone', spelling: 'lkr_' },
    { name: 'zeros', spelling: `lkr_${'A'.repeat(72)}` }
  ]
  for (const { name, spelling } of spellings) {
    t.test(name, async (t) => {
      t.equal(tokens.read(spelling), undefined)
    })
  }

  t.test('any character put in anywhere', async (t) => {
    t.ok(tokens.read(special))
    fc.assert(fc.property(fc.nat(token.length), fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }), (at, extra) => {
      return tokens.read(token.slice(0, at) + extra + token.slice(at)) === undefined
    }))
  })

  t.test('any character in the place of another', async (t) => {
    fc.assert(fc.property(fc.nat(token.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), (at, other) => {
      const changed = token.slice(0, at) + other + token.slice(at + 1)
      return changed === token || tokens.read(changed) === undefined
    }))
  })
})

t.test('a text of another length is refused before its code is looked at', async (t) => {
  const credulous = createRefreshTokens({ sign: vault.sign, verify: () => true })

  for (const length of [0, 21, 22, 53, 55, 6000]) {
    t.equal(credulous.read(`lkr_${Buffer.alloc(length).toString('base64url')}`), undefined, `${length} bytes`)
  }
  t.ok(credulous.read(`lkr_${Buffer.alloc(54).toString('base64url')}`))
})

t.test('a code that anybody can compute is refused', async (t) => {
  const bytes = Buffer.from(token.slice(4), 'base64url').subarray(0, 22)
  const codes = [createHash('sha256').update(bytes).digest(), Buffer.alloc(32), Buffer.alloc(32, 0xff)]

  for (const code of codes) {
    t.equal(tokens.read(`lkr_${Buffer.concat([bytes, code]).toString('base64url')}`), undefined)
  }
})

t.test('the code of another token is refused', async (t) => {
  const next = tokens.issue({ ...content, generation: 8 })

  t.equal(tokens.read(`lkr_${Buffer.concat([
    Buffer.from(next.slice(4), 'base64url').subarray(0, 22),
    Buffer.from(token.slice(4), 'base64url').subarray(22)
  ]).toString('base64url')}`), undefined)
})

t.test('under another secret the token is refused', async (t) => {
  t.equal(createRefreshTokens(createVault([NEW])).read(token), undefined)
})

t.test('while the secret is rotated old tokens are read and new ones are issued under the new secret', async (t) => {
  const rotated = createRefreshTokens(createVault([NEW, SECRET]))

  t.strictSame(rotated.read(token), content)
  t.strictSame(rotated.read(rotated.issue(content)), content)
  t.equal(rotated.issue(content), createRefreshTokens(createVault([NEW])).issue(content))
  t.equal(tokens.read(rotated.issue(content)), undefined)
})
