import fc from 'fast-check'
import t from 'tap'
import { readStoredHash } from '../../../lib/stored-hash.ts'
import { ARGON2_SAMPLES, FOREIGN_SAMPLES } from '../../fixtures/foreign-hashes.ts'

const MALFORMED = 'The password hash is malformed'
const UNKNOWN = 'The format of the password hash is not known'
const BCRYPT = 'The password hash costs too much: bcrypt is taken up to cost 15'
const SCRYPT = 'The password hash costs too much: scrypt is taken up to 128 MiB, N * r * p of 1048576, r of 32 and p of 16'
const PBKDF2 = 'The password hash costs too much: PBKDF2 is taken up to 2000000 iterations'
const PHPASS = 'The password hash costs too much: phpass is taken up to 2^16 rounds'
const ARGON2 = 'The password hash is malformed or costs too much: Argon2 is taken up to 256 MiB, 1 GiB in all passes, 20 passes and 16 lanes'

const base64 = (bytes: number): string => Buffer.alloc(bytes, 0xa5).toString('base64')
const unpadded = (bytes: number): string => base64(bytes).replaceAll('=', '')
const hex = (bytes: number): string => 'a5'.repeat(bytes)

const bcrypt = ({ start = '$2b$', cost = '12', salt = 'hK.B7ed9dMyyqET7.tUkLO', digest = 'EZurBNBBl8y00npvB8BXL71xZxbjXdy' } = {}): string => `${start}${cost}$${salt}${digest}`
const phcScrypt = ({ ln = '15', r = '8', p = '1', salt = unpadded(16), key = unpadded(32) } = {}): string => `$scrypt$ln=${ln},r=${r},p=${p}$${salt}$${key}`
const werkzeugScrypt = ({ n = '32768', r = '8', p = '1', salt = 'abcdefgh', key = hex(64) } = {}): string => `scrypt:${n}:${r}:${p}$${salt}$${key}`
const django = ({ digest = 'sha256', iterations = '1000', salt = 'abcdefgh', key = base64(32) } = {}): string => `pbkdf2_${digest}$${iterations}$${salt}$${key}`
const passlib = ({ digest = '-sha256', iterations = '1000', salt = unpadded(16), key = unpadded(32) } = {}): string => `$pbkdf2${digest}$${iterations}$${salt}$${key}`
const werkzeug = ({ digest = 'sha256', iterations = '1000', salt = 'abcdefgh', key = hex(32) } = {}): string => `pbkdf2:${digest}:${iterations}$${salt}$${key}`
const ldap = ({ scheme = 'SSHA', bytes = 28 } = {}): string => `{${scheme}}${base64(bytes)}`
const phpass = ({ start = '$P$', rounds = 'B', salt = '55D6LjfH', digest = 'DkINU5wF.v2BuuzO0/XPk/' } = {}): string => `${start}${rounds}${salt}${digest}`

const problemOf = (text: string): string | undefined => {
  const hash = readStoredHash(text)
  return 'problem' in hash ? hash.problem : undefined
}

const taken = [
  ['bcrypt of the least cost', bcrypt({ cost: '04' })],
  ['bcrypt of the highest cost', bcrypt({ cost: '15' })],
  ['bcrypt of WordPress', bcrypt({ start: '$wp$2y$' })],
  ['scrypt with 128 MiB', phcScrypt({ ln: '17' })],
  ['scrypt of Werkzeug with 128 MiB', werkzeugScrypt({ n: '131072' })],
  ['scrypt with as much work in 16 lanes', phcScrypt({ ln: '13', p: '16' })],
  ['scrypt with the largest blocks', phcScrypt({ ln: '15', r: '32' })],
  ['scrypt with blocks of one', phcScrypt({ ln: '15', r: '1' })],
  ['scrypt with the least rounds', werkzeugScrypt({ n: '2' })],
  ['scrypt with the shortest salt and key', phcScrypt({ salt: unpadded(1), key: unpadded(16) })],
  ['scrypt with the longest salt and key', phcScrypt({ salt: unpadded(128), key: unpadded(64) })],
  ['PBKDF2 with one iteration', django({ iterations: '1' })],
  ['PBKDF2 with two million iterations', django({ iterations: '2000000' })],
  ['PBKDF2 with SHA-1', django({ digest: 'sha1', key: base64(20) })],
  ['PBKDF2 of passlib with SHA-1', passlib({ digest: '', key: unpadded(20) })],
  ['PBKDF2 of passlib with two million iterations', passlib({ iterations: '2000000' })],
  ['PBKDF2 of Werkzeug with two million iterations', werkzeug({ iterations: '2000000' })],
  ['PBKDF2 with the shortest salt', werkzeug({ salt: 's' })],
  ['PBKDF2 with the longest salt', werkzeug({ salt: 's'.repeat(128) })],
  ['salted SHA with the shortest salt', ldap({ bytes: 21 })],
  ['salted SHA with the longest salt', ldap({ bytes: 148 })],
  ['SHA without a salt', ldap({ scheme: 'SHA', bytes: 20 })],
  ['phpass with 2^7 rounds', phpass({ rounds: '5' })],
  ['phpass with 2^16 rounds', phpass({ rounds: 'E' })],
  ['phpass of phpBB', phpass({ start: '$H$' })]
] as const
for (const [name, text] of taken) {
  t.test(`${name} is taken`, async (t) => {
    t.equal(problemOf(text), undefined)
  })
}

const refused = [
  ['no text', '', UNKNOWN],
  ['a password in clear', 'correct horse battery', UNKNOWN],
  ['the unusable password of Django', '!3gR7', UNKNOWN],
  ['MD5', '5f4dcc3b5aa765d61d8327deb882cf99', UNKNOWN],
  ['MD5 of LDAP', '{MD5}X03MO1qnZdYdgyfeuILPmQ==', UNKNOWN],
  ['salted MD5 of LDAP', '{SMD5}X03MO1qnZdYdgyfeuILPmQ==', UNKNOWN],
  ['md5crypt', '$1$abcdefgh$aaaaaaaaaaaaaaaaaaaaaa', UNKNOWN],
  ['sha512crypt', '$6$abcdefgh$aaaa', UNKNOWN],
  ['a space in front', ` ${bcrypt()}`, UNKNOWN],
  ['a text of 513 characters in no format', 'x'.repeat(513), MALFORMED],
  ['a text of 513 characters', `{SSHA}${'A'.repeat(507)}`, MALFORMED],
  ['a text of a million characters', '$2b$'.padEnd(1_000_000, '1'), MALFORMED],

  ['bcrypt of cost 16', bcrypt({ cost: '16' }), BCRYPT],
  ['bcrypt of cost 31', bcrypt({ cost: '31' }), BCRYPT],
  ['bcrypt of WordPress of cost 31', bcrypt({ start: '$wp$2y$', cost: '31' }), BCRYPT],
  ['bcrypt of cost 3', bcrypt({ cost: '03' }), MALFORMED],
  ['bcrypt of cost +4', bcrypt({ cost: '+4' }), MALFORMED],
  ['bcrypt of cost 4 in one digit', bcrypt({ cost: '4' }), MALFORMED],
  ['the broken bcrypt of old PHP', bcrypt({ start: '$2x$' }), UNKNOWN],
  ['bcrypt with a short digest', bcrypt().slice(0, -1), MALFORMED],
  ['bcrypt with a long digest', `${bcrypt()}a`, MALFORMED],
  ['bcrypt with a line break at the end', `${bcrypt()}\n`, MALFORMED],
  ['bcrypt with loose bits in the salt', bcrypt({ salt: 'hK.B7ed9dMyyqET7.tUkLP' }), MALFORMED],
  ['bcrypt with loose bits in the digest', bcrypt({ digest: 'EZurBNBBl8y00npvB8BXL71xZxbjXdz' }), MALFORMED],
  ['bcrypt with a character of base64', bcrypt({ salt: 'hK+B7ed9dMyyqET7.tUkLO' }), MALFORMED],

  ['scrypt with ln=30', phcScrypt({ ln: '30' }), SCRYPT],
  ['scrypt with ln=99', phcScrypt({ ln: '99' }), SCRYPT],
  ['scrypt with 256 MiB', phcScrypt({ ln: '18' }), SCRYPT],
  ['scrypt of Werkzeug with 256 MiB', werkzeugScrypt({ n: '262144' }), SCRYPT],
  ['scrypt with more work than is taken', phcScrypt({ ln: '14', p: '9' }), SCRYPT],
  ['scrypt with 17 lanes', phcScrypt({ ln: '10', p: '17' }), SCRYPT],
  ['scrypt with too many lanes', phcScrypt({ ln: '1', p: '4294967295' }), SCRYPT],
  ['scrypt with blocks of 33', phcScrypt({ ln: '1', r: '33' }), SCRYPT],
  ['scrypt with more rounds than its blocks allow', phcScrypt({ ln: '16', r: '1' }), MALFORMED],
  ['scrypt without rounds', phcScrypt({ ln: '0' }), MALFORMED],
  ['scrypt with a round of one', werkzeugScrypt({ n: '1' }), MALFORMED],
  ['scrypt with a number of rounds that is no power of two', werkzeugScrypt({ n: '32767' }), MALFORMED],
  ['scrypt without blocks', phcScrypt({ r: '0' }), MALFORMED],
  ['scrypt without lanes', werkzeugScrypt({ p: '0' }), MALFORMED],
  ['scrypt without a salt', phcScrypt({ salt: '' }), MALFORMED],
  ['scrypt of Werkzeug without a salt', werkzeugScrypt({ salt: '' }), MALFORMED],
  ['scrypt with a long salt', werkzeugScrypt({ salt: 's'.repeat(129) }), MALFORMED],
  ['scrypt with a key of 15 bytes', phcScrypt({ key: unpadded(15) }), MALFORMED],
  ['scrypt with a key of 65 bytes', phcScrypt({ key: unpadded(65) }), MALFORMED],
  ['scrypt with half a byte in the key', werkzeugScrypt({ key: `${hex(64)}a` }), MALFORMED],
  ['scrypt with padding', phcScrypt({ key: base64(32) }), MALFORMED],
  ['scrypt with loose bits in the salt', phcScrypt({ salt: `${unpadded(16).slice(0, -1)}R` }), MALFORMED],
  ['scrypt with parameters in another order', '$scrypt$r=8,ln=15,p=1$AAAA$AAAA', MALFORMED],

  ['PBKDF2 of Django with 2^31 iterations', django({ iterations: '2147483648' }), PBKDF2],
  ['PBKDF2 of passlib with 2^31 iterations', passlib({ iterations: '2147483648' }), PBKDF2],
  ['PBKDF2 of Werkzeug with one iteration too many', werkzeug({ iterations: '2000001' }), PBKDF2],
  ['PBKDF2 with more iterations than a number can tell', django({ iterations: '9'.repeat(40) }), MALFORMED],
  ['PBKDF2 without iterations', django({ iterations: '0' }), MALFORMED],
  ['PBKDF2 with an exponent', django({ iterations: '1e6' }), MALFORMED],
  ['PBKDF2 with a leading zero', passlib({ iterations: '01000' }), MALFORMED],
  ['PBKDF2 of Django without a salt', django({ salt: '' }), MALFORMED],
  ['PBKDF2 of passlib without a salt', passlib({ salt: '' }), MALFORMED],
  ['PBKDF2 with a long salt', werkzeug({ salt: 's'.repeat(129) }), MALFORMED],
  ['PBKDF2 with a space in the salt', django({ salt: 'a b' }), MALFORMED],
  ['PBKDF2 with a short key', django({ key: base64(31) }), MALFORMED],
  ['PBKDF2 with the key of another digest', werkzeug({ key: hex(20) }), MALFORMED],
  ['PBKDF2 with a key without padding', django({ key: unpadded(32) }), MALFORMED],
  ['PBKDF2 with a key that is no base64', django({ key: '===' }), MALFORMED],
  ['PBKDF2 of passlib with loose bits in the salt', passlib({ salt: `${unpadded(16).slice(0, -1)}R` }), MALFORMED],
  ['PBKDF2 with half a byte', werkzeug({ key: `${hex(32)}a` }), MALFORMED],
  ['PBKDF2 with MD5', django({ digest: 'md5', key: base64(16) }), MALFORMED],
  ['PBKDF2 of passlib with another digest', passlib({ digest: '-sha3' }), MALFORMED],
  ['PBKDF2 with the name of a member of every object', werkzeug({ digest: 'constructor' }), MALFORMED],

  ['salted SHA without a salt', ldap({ bytes: 20 }), MALFORMED],
  ['salted SHA with a long salt', ldap({ bytes: 149 }), MALFORMED],
  ['salted SHA with a short digest', ldap({ bytes: 19 }), MALFORMED],
  ['SHA with a salt', ldap({ scheme: 'SHA', bytes: 28 }), MALFORMED],
  ['SHA-512 with a digest of SHA-256', ldap({ scheme: 'SHA512', bytes: 32 }), MALFORMED],
  ['salted SHA without padding', '{SSHA256}pQ', MALFORMED],
  ['salted SHA with nothing', '{SSHA}', MALFORMED],
  ['salted SHA with a line break at the end', `${ldap()}\n`, MALFORMED],

  ['phpass with 2^17 rounds', phpass({ rounds: 'F' }), PHPASS],
  ['phpass with 2^63 rounds', phpass({ rounds: 'z' }), PHPASS],
  ['phpass with 2^6 rounds', phpass({ rounds: '4' }), MALFORMED],
  ['phpass with a short salt', phpass({ salt: '55D6Ljf' }), MALFORMED],
  ['phpass with a long digest', `${phpass()}/`, MALFORMED],
  ['phpass with loose bits', phpass({ digest: 'DkINU5wF.v2BuuzO0/XPk0'.slice(0, 21) + '2' }), MALFORMED],

  ['Argon2 with 4 TiB', '$argon2id$v=19$m=4294967295,t=2,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E', ARGON2],
  ['Argon2 with nothing', '$argon2id$', ARGON2]
] as const
for (const [name, text, problem] of refused) {
  t.test(`${name} is refused`, async (t) => {
    t.equal(problemOf(text), problem)
  })
}

const ALL = [...ARGON2_SAMPLES, ...FOREIGN_SAMPLES].map(({ hash }) => hash)

t.test('Whatever the text is, it is read or refused with a sentence, at once', async (t) => {
  const change = fc.tuple(fc.constantFrom(...ALL), fc.nat(200), fc.nat(20), fc.string({ unit: 'binary', maxLength: 20 }))
    .map(([hash, start, length, text]) => hash.slice(0, start) + text + hash.slice(start + length))
  const text = fc.oneof(change, fc.string({ unit: 'binary', maxLength: 600 }))

  fc.assert(fc.property(text, (text) => {
    const hash = readStoredHash(text)
    if ('problem' in hash) return /^(?:The password hash|The format)/.test(hash.problem)
    return 'argon2' in hash || typeof hash.verify === 'function'
  }), { numRuns: 2000 })
})

t.test('No number in a hash can make it cost more than the bounds', async (t) => {
  const number = fc.oneof(fc.bigInt(0n, 2n ** 64n), fc.bigInt(0n, 100n), fc.nat(64).map((exponent) => 2n ** BigInt(exponent)))
  const isBounded = ([n, r, p, iterations]: bigint[]): boolean => {
    const scrypt = problemOf(werkzeugScrypt({ n: `${n}`, r: `${r}`, p: `${p}` })) !== undefined ||
      (128n * n! * r! <= 128n * 1024n * 1024n && n! * r! * p! <= 1024n * 1024n && p! <= 16n && r! <= 32n)
    const pbkdf2 = [django, passlib, werkzeug].every((write) => problemOf(write({ iterations: `${iterations}` })) !== undefined || iterations! <= 2_000_000n)
    const bcrypts = problemOf(bcrypt({ cost: `${iterations}`.padStart(2, '0') })) !== undefined || iterations! <= 15n
    return scrypt && pbkdf2 && bcrypts
  }

  fc.assert(fc.property(fc.array(number, { minLength: 4, maxLength: 4 }), isBounded), { numRuns: 2000 })
})

t.test('The library takes all that is taken', async (t) => {
  for (const [name, text] of taken) {
    if (/two million|highest cost|2\^16|Argon2/.test(name)) continue // the cost is a number like any other, and these take seconds
    const hash = readStoredHash(text)
    t.equal('verify' in hash && await hash.verify('x'), false, name)
  }
})
