import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createVault } from '../../lib/vault.ts'
import { SECRET } from '../helper.ts'

const NEW = `${SECRET}-new`
const OLD = SECRET
const STRANGE = `${SECRET}-strange`
const CONTEXT = 'signing key k1'
const DATA = Buffer.from('data')

// What the stored texts of every existing database depend on.
const keyFor = (secret: string, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
const SEAL = 'latchkey seal v1'
const REFRESH_TOKEN = 'latchkey refresh token v1'

const vault = createVault([OLD])

function flipBit (bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes)
  flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return flipped
}

t.test('a vault without a secret can not be made', async (t) => {
  t.throws(() => createVault([]), new TypeError('A vault needs a secret'))
})

t.test('what was sealed opens under the same context', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (plaintext, context) => {
    const opened = vault.open(vault.seal(plaintext, context), context)

    return opened?.plaintext === plaintext && !opened.stale
  }))
  t.strictSame(vault.open(vault.seal('text', CONTEXT), CONTEXT), { plaintext: 'text', stale: false })
})

t.test('it opens under no other context', async (t) => {
  const sealed = vault.seal('text', CONTEXT)

  for (const context of ['', 'signing key k2', 'signing key k', 'signing key k1 ', 'Signing key k1', 'signing key k1\0']) {
    t.equal(vault.open(sealed, context), undefined, context)
  }
})

t.test('the same text is never sealed to the same text twice', async (t) => {
  const sealed = Array.from({ length: 1000 }, () => Buffer.from(vault.seal('text', CONTEXT), 'base64url'))

  t.equal(new Set(sealed.map((bytes) => bytes.toString('hex', 0, 12))).size, 1000, 'every initialization vector is new')
  t.equal(new Set(sealed.map((bytes) => bytes.toString('hex', 12))).size, 1000)
})

t.test('the plaintext does not show', async (t) => {
  const sealed = Buffer.from(vault.seal('BEGIN PRIVATE KEY', CONTEXT), 'base64url')

  t.equal(sealed.length, 12 + 16 + 'BEGIN PRIVATE KEY'.length)
  t.notMatch(sealed.toString('latin1'), 'PRIVATE')
})

t.test('a single flipped bit in the vector, the tag or the text keeps it shut', async (t) => {
  const sealed = Buffer.from(vault.seal('text', CONTEXT), 'base64url')
  const bits = Array.from({ length: sealed.length * 8 }, (_, bit) => bit)

  const opened = bits.filter((bit) => vault.open(flipBit(sealed, bit).toString('base64url'), CONTEXT) !== undefined)

  t.equal(bits.length, (12 + 16 + 4) * 8)
  t.strictSame(opened, [])
})

t.test('a text that is cut short or made longer stays shut', async (t) => {
  const sealed = Buffer.from(vault.seal('text', CONTEXT), 'base64url')

  for (let length = 0; length < sealed.length; length++) {
    t.equal(vault.open(sealed.toString('base64url', 0, length), CONTEXT), undefined, `${length} bytes`)
  }
  t.equal(vault.open(Buffer.concat([sealed, Buffer.alloc(1)]).toString('base64url'), CONTEXT), undefined)
})

t.test('a text that nobody sealed stays shut', async (t) => {
  for (const text of ['', '?', '{}', '-----BEGIN PRIVATE KEY-----', 'A'.repeat(38), 'A'.repeat(200)]) {
    t.equal(vault.open(text, CONTEXT), undefined)
  }
})

t.test('a rotated list of secrets', async (t) => {
  const rotated = createVault([NEW, OLD])

  t.test('opens what the old one sealed and says that it is stale', async (t) => {
    t.strictSame(rotated.open(vault.seal('text', CONTEXT), CONTEXT), { plaintext: 'text', stale: true })
  })

  t.test('seals under the first one', async (t) => {
    const sealed = rotated.seal('text', CONTEXT)

    t.strictSame(rotated.open(sealed, CONTEXT), { plaintext: 'text', stale: false })
    t.strictSame(createVault([NEW]).open(sealed, CONTEXT), { plaintext: 'text', stale: false })
    t.equal(vault.open(sealed, CONTEXT), undefined)
  })

  t.test('binds to the context under the old one too', async (t) => {
    t.equal(rotated.open(vault.seal('text', CONTEXT), 'signing key k2'), undefined)
  })

  t.test('signs with the first one and verifies with all', async (t) => {
    t.ok(rotated.verify(DATA, vault.sign(DATA)))
    t.ok(rotated.verify(DATA, rotated.sign(DATA)))
    t.ok(createVault([NEW]).verify(DATA, rotated.sign(DATA)))
    t.notOk(vault.verify(DATA, rotated.sign(DATA)))
  })

  t.test('forgets the old one when that is taken out', async (t) => {
    t.equal(createVault([NEW]).open(vault.seal('text', CONTEXT), CONTEXT), undefined)
    t.notOk(createVault([NEW]).verify(DATA, vault.sign(DATA)))
  })
})

t.test('another secret opens nothing and verifies nothing', async (t) => {
  const stranger = createVault([STRANGE])

  t.equal(stranger.open(vault.seal('text', CONTEXT), CONTEXT), undefined)
  t.notOk(stranger.verify(DATA, vault.sign(DATA)))
})

t.test('verify refuses', async (t) => {
  const mac = vault.sign(DATA)

  t.test('every flipped bit of the code', async (t) => {
    const accepted = Array.from({ length: 256 }, (_, bit) => bit).filter((bit) => vault.verify(DATA, flipBit(mac, bit)))

    t.strictSame(accepted, [])
  })

  t.test('every flipped bit of the data', async (t) => {
    const accepted = Array.from({ length: DATA.length * 8 }, (_, bit) => bit).filter((bit) => vault.verify(flipBit(DATA, bit), mac))

    t.strictSame(accepted, [])
  })

  t.test('a code of another length, without throwing', async (t) => {
    for (const code of [Buffer.alloc(0), mac.subarray(0, 31), Buffer.concat([mac, Buffer.alloc(1)]), Buffer.concat([mac, mac])]) {
      t.equal(vault.verify(DATA, code), false)
    }
  })
})

t.test('each purpose has a key of its own', async (t) => {
  t.test('codes are HMAC-SHA256 under the refresh token key and no other', async (t) => {
    const mac = (key: Buffer | string): Buffer => createHmac('sha256', key).update(DATA).digest()

    t.strictSame(vault.sign(DATA), mac(keyFor(OLD, REFRESH_TOKEN)))
    t.notOk(vault.verify(DATA, mac(keyFor(OLD, SEAL))))
    t.notOk(vault.verify(DATA, mac(OLD)))
  })

  t.test('texts are sealed with AES-256-GCM under the sealing key and no other', async (t) => {
    const bytes = Buffer.from(vault.seal('text', CONTEXT), 'base64url')
    const open = (purpose: string): string => {
      const decipher = createDecipheriv('aes-256-gcm', keyFor(OLD, purpose), bytes.subarray(0, 12))
        .setAAD(Buffer.from(CONTEXT)).setAuthTag(bytes.subarray(12, 28))
      return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8')
    }

    t.equal(open(SEAL), 'text')
    t.throws(() => open(REFRESH_TOKEN))
  })

  t.test('a text sealed under the refresh token key does not open', async (t) => {
    const seal = (purpose: string): string => {
      const iv = Buffer.alloc(12, 1)
      const cipher = createCipheriv('aes-256-gcm', keyFor(OLD, purpose), iv).setAAD(Buffer.from(CONTEXT))
      const ciphertext = Buffer.concat([cipher.update('text'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')
    }

    t.strictSame(vault.open(seal(SEAL), CONTEXT), { plaintext: 'text', stale: false })
    t.equal(vault.open(seal(REFRESH_TOKEN), CONTEXT), undefined)
  })
})

t.test('a pseudonym is an HMAC-SHA256 under a key of its own, of the first secret', async (t) => {
  const expected = createHmac('sha256', keyFor(OLD, 'latchkey pseudonym v1')).update('text').digest('base64url')

  t.equal(createVault([OLD]).pseudonym('text'), expected)
  t.equal(createVault([OLD, NEW]).pseudonym('text'), expected)
  t.not(createVault([NEW, OLD]).pseudonym('text'), expected)
})
