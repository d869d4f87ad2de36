import t from 'tap'
import type { Verify } from '../../../lib/password-formats/format.ts'
import { readStoredHash } from '../../../lib/stored-hash.ts'
import { FOREIGN_SAMPLES } from '../../fixtures/foreign-hashes.ts'

function verifier (hash: string): Verify {
  const stored = readStoredHash(hash)
  if (!('verify' in stored)) throw new Error(`not taken: ${JSON.stringify(stored)}`)
  return stored.verify
}

for (const { madeBy, command, password, hash } of FOREIGN_SAMPLES) {
  t.test(`${madeBy}: ${command} is verified`, async (t) => {
    const verify = verifier(hash)

    t.equal(await verify(password), true)
    t.equal(await verify(`.${password.slice(1)}`), false)
  })
}

const published = [
  { source: 'RFC 7914 section 12, scrypt', password: 'pleaseletmein', hash: 'scrypt:16384:8:1$SodiumChloride$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887' },
  { source: 'RFC 7914 section 12, scrypt with 16 lanes', password: 'password', hash: 'scrypt:1024:8:16$NaCl$fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640' },
  { source: 'RFC 7914 section 11, the first block of PBKDF2 with SHA-256', password: 'Password', hash: 'pbkdf2:sha256:80000$NaCl$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56' },
  { source: 'RFC 6070, PBKDF2 with SHA-1', password: 'password', hash: 'pbkdf2:sha1:4096$salt$4b007901b765489abead49d926f721d065a429c1' },
  { source: 'RFC 6070, one iteration', password: 'password', hash: 'pbkdf2:sha1:1$salt$0c60c80f961f0e71f3a9b524af6012062fe037a6' },
  { source: 'the test vectors of crypt_blowfish', password: 'U*U', hash: '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW' },
  { source: 'the test program of phpass', password: 'test12345', hash: '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0' },
  { source: 'the documentation of wp_hash_password', password: 'test', hash: '$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/' }
]
for (const { source, password, hash } of published) {
  t.test(`The example of ${source} is verified`, async (t) => {
    t.equal(await verifier(hash)(password), true)
    t.equal(await verifier(hash)(`${password}.`), false)
  })
}

t.test('The names of LDAP schemes may be in small letters', async (t) => {
  t.equal(await verifier('{sha}mN7MYuzjmaIu0w1JDvMzvn/ec4U=')('correct horse battery'), true)
})

t.test('bcrypt sees 72 bytes, as it did where the hash was made', async (t) => {
  const verify = verifier('$2b$10$chmB.FbjK5jIyh9Wm87S2OEGTI4s3ua3ZZvFxmmxKA5rEce3RAVne')

  t.equal(await verify('x'.repeat(72)), true)
  t.equal(await verify(`${'x'.repeat(72)}, and more`), true)
  t.equal(await verify('x'.repeat(71)), false)
})

t.test('A password is verified as it was typed', async (t) => {
  const composed = 'crème brûlée'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  const sample = FOREIGN_SAMPLES.find(({ password }) => password === decomposed)
  const verify = verifier(sample?.hash ?? '')

  t.equal(await verify(decomposed), true)
  t.equal(await verify(composed), false)
})
