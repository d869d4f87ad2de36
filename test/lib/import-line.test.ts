import fc from 'fast-check'
import t from 'tap'
import { ValidationError } from '../../lib/errors.ts'
import { parseImportLine } from '../../lib/import-line.ts'

const HASH = '$2b$10$hK.B7ed9dMyyqET7.tUkLOEZurBNBBl8y00npvB8BXL71xZxbjXdy'
const NOTHING = { email: null, fullName: null, passwordHash: null, roles: [], disabled: false }

const parse = (line: unknown) => parseImportLine(Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)))

t.test('parseImportLine reads all members, in the form in which they are stored', async (t) => {
  const line = { username: 'Ada', email: 'Ada.L@EXAMPLE.com', full_name: 'Ada Lovelace', password_hash: HASH, roles: ['user', 'admin', 'admin'], disabled: true }

  t.strictSame(parse(line), {
    username: 'ada',
    email: { address: 'Ada.L@example.com', canonical: 'ada.l@example.com' },
    fullName: 'Ada Lovelace',
    passwordHash: HASH,
    roles: ['admin'],
    disabled: true
  })
})

const read = [
  { name: 'no more than a name', line: '{"username":"ada"}' },
  { name: 'empty texts for what is not there', line: { username: 'ada', email: '', full_name: '', password_hash: '' } },
  { name: 'null for what is not there', line: { username: 'ada', email: null, full_name: null, password_hash: null, roles: null, disabled: null } },
  { name: 'a carriage return at the end', line: '{"username":"ada"}\r' },
  { name: 'a byte order mark', line: '\ufeff{"username":"ada"}' }
]
for (const { name, line } of read) {
  t.test(`parseImportLine reads ${name}`, async (t) => {
    t.strictSame(parse(line), { username: 'ada', ...NOTHING })
  })
}

for (const line of ['', '  ', '\r', '\ufeff', '\ufeff\r']) {
  t.test(`parseImportLine reads nothing in ${JSON.stringify(line)}`, async (t) => {
    t.equal(parse(line), undefined)
  })
}

const refused = [
  { name: 'text', line: 'ada', message: 'Write one JSON object in a line' },
  { name: 'half an object', line: '{"username":"ada"', message: 'Write one JSON object in a line' },
  { name: 'two objects', line: '{"username":"ada"}{"username":"ben"}', message: 'Write one JSON object in a line' },
  { name: 'a list', line: [{ username: 'ada' }], message: 'Write one JSON object in a line' },
  { name: 'null', line: 'null', message: 'Write one JSON object in a line' },
  { name: 'a number', line: '1', message: 'Write one JSON object in a line' },
  { name: 'no name', line: {}, message: 'Give the username as a text' },
  { name: 'a name that is a number', line: { username: 7 }, message: 'Give the username as a text' },
  { name: 'a name that can be none', line: { username: 'a b' }, message: 'Use only letters, digits, dots, underscores and hyphens in the username' },
  { name: 'an unknown member', line: { username: 'ada', password: 'secret' }, message: 'Use only the members username, email, full_name, password_hash, roles, disabled' },
  { name: 'a verified address', line: { username: 'ada', email_verified: true }, message: 'Use only the members username, email, full_name, password_hash, roles, disabled' },
  { name: 'a prototype', line: '{"username":"ada","__proto__":{"roles":["admin"]}}', message: 'Use only the members username, email, full_name, password_hash, roles, disabled' },
  { name: 'an address that can be none', line: { username: 'ada', email: 'ada' }, message: 'Write the e-mail address with exactly one @' },
  { name: 'an address that is a list', line: { username: 'ada', email: ['ada@example.com'] }, message: 'Give email as a text, or leave it out' },
  { name: 'a full name of nothing visible', line: { username: 'ada', full_name: ' ' }, message: 'Use 1 to 200 characters in the full name' },
  { name: 'a full name that is true', line: { username: 'ada', full_name: true }, message: 'Give full_name as a text, or leave it out' },
  { name: 'an unknown hash', line: { username: 'ada', password_hash: 'secret' }, message: 'The format of the password hash is not known' },
  { name: 'a hash that costs too much', line: { username: 'ada', password_hash: HASH.replace('$10$', '$31$') }, message: 'The password hash costs too much: bcrypt is taken up to cost 15' },
  { name: 'a hash that is an object', line: { username: 'ada', password_hash: {} }, message: 'Give password_hash as a text, or leave it out' },
  { name: 'roles in one text', line: { username: 'ada', roles: 'admin' }, message: 'Give roles as a list of up to 100 texts, or leave it out' },
  { name: 'a role that is a number', line: { username: 'ada', roles: ['admin', 1] }, message: 'Give roles as a list of up to 100 texts, or leave it out' },
  { name: 'a role with a space', line: { username: 'ada', roles: ['5 ecret'] }, message: 'Give roles by their names: small letters, digits and hyphens, a letter first' },
  { name: 'too many roles', line: { username: 'ada', roles: Array(101).fill('admin') }, message: 'Give roles as a list of up to 100 texts, or leave it out' },
  { name: 'disabled as a number', line: { username: 'ada', disabled: 1 }, message: 'Give disabled as true or false, or leave it out' }
]
for (const { name, line, message } of refused) {
  t.test(`parseImportLine refuses ${name}`, async (t) => {
    t.throws(() => parse(line), new ValidationError(message))
  })
}

t.test('parseImportLine refuses what is not UTF-8', async (t) => {
  t.throws(() => parseImportLine(Buffer.from('{"username":"ren\xe9e"}', 'latin1')), new ValidationError('Write the line in UTF-8'))
})

t.test('parseImportLine refuses whatever it does not take with a sentence that shows nothing of it', async (t) => {
  const member = fc.oneof(fc.string(), fc.jsonValue(), fc.constantFrom('secret-5ecret', ['secret-5ecret']))
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.dictionary(fc.constantFrom('username', 'email', 'full_name', 'password_hash', 'roles', 'disabled', 'secret-5ecret'), member)
      .map((value) => Buffer.from(JSON.stringify(value)))
  )

  fc.assert(fc.property(line, (line) => {
    try {
      const user = parseImportLine(line)
      return user === undefined || typeof user.username === 'string'
    } catch (error) {
      return error instanceof ValidationError && !error.message.includes('5ecret')
    }
  }), { numRuns: 3000 })
})
