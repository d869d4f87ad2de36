import fc from 'fast-check'
import t from 'tap'
import { canonicalIdentifier, parseUsername } from '../../lib/identifiers.ts'

const refused = (message: RegExp) => ({ name: 'ValidationError', code: 'validation_failed', statusCode: 400, message })

t.test('parseUsername', async (t) => {
  const spellings = [
    { name: 'keeps a plain name', text: 'ada.lovelace_1815-x', username: 'ada.lovelace_1815-x' },
    { name: 'keeps a name of digits', text: '007', username: '007' },
    { name: 'keeps one character', text: 'x', username: 'x' },
    { name: 'keeps 64 characters', text: 'x'.repeat(64), username: 'x'.repeat(64) },
    { name: 'counts characters and not units, before composing or after', text: 'e\u0301'.repeat(64), username: 'é'.repeat(64) },
    { name: 'counts characters and not units, outside the basic plane', text: '𠮷'.repeat(64), username: '𠮷'.repeat(64) },
    { name: 'lower-cases', text: 'Alice', username: 'alice' },
    { name: 'composes', text: 'Rene\u0301', username: 'rené' },
    { name: 'composes what composes only in small letters', text: 'H\u0331', username: '\u1e96' },
    { name: 'makes full-width characters ASCII', text: 'Ａｌｉｃｅ１', username: 'alice1' },
    { name: 'lower-cases mathematical letters', text: '𝐀lice', username: 'alice' },
    { name: 'takes the Kelvin sign for a k', text: 'mi\u212ae', username: 'mike' },
    { name: 'takes the long s for an s', text: '\u017fam', username: 'sam' },
    { name: 'does not take a dotless i for an i', text: 'm\u0131ke', username: 'm\u0131ke' },
    { name: 'keeps a sharp s', text: 'GRO\u1e9e', username: 'groß' },
    { name: 'opens a ligature', text: 'ﬁona', username: 'fiona' },
    { name: 'writes the sigma at an end in one way', text: 'νικοσ', username: 'νικος' },
    { name: 'writes a capital sigma at an end in that way', text: 'ΝΙΚΟΣ', username: 'νικος' },
    { name: 'reads Cyrillic', text: 'Анна-1', username: 'анна-1' },
    { name: 'reads Armenian', text: 'Անի', username: 'անի' },
    { name: 'reads Hebrew', text: 'דוד', username: 'דוד' },
    { name: 'reads Arabic', text: 'محمد', username: 'محمد' },
    { name: 'reads Georgian', text: 'ნინო', username: 'ნინო' },
    { name: 'reads Ethiopic', text: 'ሰላም', username: 'ሰላም' },
    { name: 'reads the vowel signs of Devanagari', text: 'हिन्दी', username: 'हिन्दी' },
    { name: 'reads the vowel signs of Tamil', text: 'தமிழ்', username: 'தமிழ்' },
    { name: 'reads the tone marks of Thai', text: 'น้ำ', username: 'น้\u0e4dา' },
    { name: 'reads four marks on one letter', text: 'ก\u0e34\u0e48\u0e34\u0e48', username: 'ก\u0e34\u0e48\u0e34\u0e48' },
    { name: 'reads Han with both kinds of kana', text: '山田ユーザーさん', username: '山田ユーザーさん' },
    { name: 'reads half-width kana', text: 'ｶﾞ', username: 'ガ' },
    { name: 'reads Hangul with Han', text: '김金', username: '김金' },
    { name: 'composes Hangul', text: '한글'.normalize('NFD'), username: '한글' },
    { name: 'reads Han with Bopomofo', text: '王ㄅ', username: '王ㄅ' },
    { name: 'lets a name be that of a role', text: 'admin', username: 'admin' },
    { name: 'lets a name be root', text: 'root', username: 'root' },
    { name: 'lets a name be null', text: 'null', username: 'null' },
    { name: 'lets a name be undefined', text: 'undefined', username: 'undefined' },
    { name: 'lets a name be constructor', text: 'constructor', username: 'constructor' }
  ]
  for (const { name, text, username } of spellings) {
    t.test(name, async (t) => {
      t.equal(parseUsername(text), username)
    })
  }

  const scripts = [
    'বাংলা', 'ਪੰਜਾਬੀ', 'ગુજરાતી', 'తెలుగు', 'ಕನ್ನಡ', 'മലയാളം', 'සිංහල', 'ລາວ', 'ខ្មែរ', 'မြန်မာ', 'བོད'
  ]
  for (const name of scripts) {
    t.test(`reads ${name} with its marks`, async (t) => {
      t.equal(parseUsername(name), name.normalize('NFKC'))
    })
  }

  const faults = [
    { name: 'no text', text: '', message: /1 to 64 characters/ },
    { name: '65 characters', text: 'x'.repeat(65), message: /1 to 64 characters/ },
    { name: '64 characters of which one becomes two', text: 'x'.repeat(63) + 'ﬁ', message: /1 to 64 characters/ },
    { name: 'marks alone', text: '\u093e\u094d', message: /one letter or digit/ },
    { name: 'signs alone', text: '..', message: /one letter or digit/ },
    { name: 'a space before', text: ' alice', message: /only letters/ },
    { name: 'a space after', text: 'alice ', message: /only letters/ },
    { name: 'a space inside', text: 'al ice', message: /only letters/ },
    { name: 'a no-break space', text: 'alice\u00a0', message: /only letters/ },
    { name: 'an ideographic space', text: 'alice\u3000', message: /only letters/ },
    { name: 'a line break after', text: 'alice\n', message: /only letters/ },
    { name: 'a carriage return and line feed', text: 'alice\r\nx', message: /only letters/ },
    { name: 'a NUL', text: 'alice\0', message: /only letters/ },
    { name: 'an escape character', text: 'alice\u001b', message: /only letters/ },
    { name: 'a lone surrogate', text: 'alice\ud800', message: /only letters/ },
    { name: 'an at sign', text: 'alice@example.com', message: /only letters/ },
    { name: 'a full-width at sign', text: 'alice\uff20example.com', message: /only letters/ },
    { name: 'a slash', text: 'a/b', message: /only letters/ },
    { name: 'an emoji', text: 'alice😀', message: /only letters/ },
    { name: 'digits that are not ASCII', text: 'x٣', message: /only letters/ },
    { name: 'a Hangul filler, a letter that is not seen', text: '한\u3164', message: /only letters/ },
    { name: 'a vowel sign that is not seen', text: 'ក\u17b4', message: /only letters/ },
    { name: 'Latin with Cyrillic', text: 'p\u0430ypal', message: /one script/ },
    { name: 'Latin with Greek', text: 'alic\u03b5', message: /one script/ },
    { name: 'Latin with Han', text: 'alice山', message: /one script/ },
    { name: 'Hangul with kana', text: '김か', message: /one script/ },
    { name: 'Bopomofo with kana', text: 'ㄅか', message: /one script/ },
    { name: 'a script that is in no group', text: 'ᚠᚢ', message: /one script/ },
    { name: 'a letter of no script', text: 'a\u02bc', message: /one script/ },
    { name: 'a capital i with a dot, which leaves the dot alone', text: '\u0130ris', message: /one script/ },
    { name: 'an accent that does not compose', text: 'x\u0302', message: /one script/ },
    { name: 'an accent before all letters', text: '\u0301a', message: /one script/ },
    { name: 'a mark of another script', text: 'क\u0e34', message: /one script/ },
    { name: 'a mark without its letter', text: 'क.\u093f', message: /one script/ },
    { name: 'the same mark twice', text: 'ก\u0e34\u0e34', message: /one script/ },
    { name: 'five marks on one letter', text: 'ก\u0e34\u0e48\u0e34\u0e48\u0e34', message: /one script/ },
    { name: 'the name of a route', text: 'me', message: /reserved/ },
    { name: 'the name of a route in full-width capitals', text: 'ＭＥ', message: /reserved/ },
    { name: 'the name of the prototype', text: '__proto__', message: /reserved/ }
  ]
  for (const { name, text, message } of faults) {
    t.test(`refuses ${name}`, async (t) => {
      t.throws(() => parseUsername(text), refused(message))
    })
  }

  const invisible = [
    0x200b, 0x200c, 0x200d, 0x00ad, 0xfeff, 0x2060, 0x180e, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2069
  ]
  for (const code of invisible) {
    t.test(`refuses the invisible character U+${code.toString(16)}`, async (t) => {
      t.throws(() => parseUsername(`ali${String.fromCodePoint(code)}ce`), refused(/only letters/))
    })
  }

  t.test('does no work on text that no username is typed with', async (t) => {
    const normalize = t.capture(String.prototype, 'normalize', String.prototype.normalize)

    t.throws(() => parseUsername('x'.repeat(64 * 6 + 1)), refused(/1 to 64 characters/))

    t.equal(normalize().length, 0)
  })

  t.test('gives the canonical form of a canonical form unchanged', async (t) => {
    const characters = [...'aAbzK09._-ıſßẞﬁŉΣσςᾼΩЖёأא한가ㄱㅏかカーｶﾞ山々िक्กิ้ำ', '\u0301', '\u0331', '\u0307', '\u212a', '\u0130', '\u200d']
    const texts = fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 5 })
    const allTexts = fc.string({ unit: 'binary', minLength: 1, maxLength: 2 })

    fc.assert(fc.property(fc.oneof(texts, allTexts), (text) => {
      const first = canonicalIdentifier(text)
      if (first?.kind === 'username') t.equal(parseUsername(first.value), first.value)
    }), { numRuns: 2000 })
  })
})

t.test('canonicalIdentifier', async (t) => {
  const identifiers = [
    { name: 'takes text without an at sign for a username', text: 'Alice', identifier: { kind: 'username', value: 'alice' } },
    { name: 'takes text with an at sign for an e-mail address', text: 'Alice@Example.com', identifier: { kind: 'email', value: 'alice@example.com' } },
    { name: 'knows nobody by a username that can not be', text: 'alice ', identifier: undefined },
    { name: 'knows nobody by an e-mail address that can not be', text: 'alice@', identifier: undefined },
    { name: 'knows nobody by a full-width at sign', text: 'alice\uff20example.com', identifier: undefined },
    { name: 'knows nobody by no text', text: '', identifier: undefined },
    { name: 'knows nobody by a megabyte', text: 'a'.repeat(2 ** 20), identifier: undefined },
    { name: 'knows nobody by a megabyte of at signs', text: '@'.repeat(2 ** 20), identifier: undefined }
  ]
  for (const { name, text, identifier } of identifiers) {
    t.test(name, async (t) => {
      t.same(canonicalIdentifier(text), identifier)
    })
  }

  t.test('never throws and never gives a username with an at sign', async (t) => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      const identifier = canonicalIdentifier(text)
      return identifier === undefined || identifier.value.includes('@') === (identifier.kind === 'email')
    }))
  })
})
