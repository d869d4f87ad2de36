import { createRequire } from 'node:module'
import fc from 'fast-check'
import t from 'tap'
import { createPasswordPolicy, normalizePassword } from '../../lib/password-policy.ts'

const owner = { username: 'ada.king', email: 'countess@lovelace.example' }
const policy = createPasswordPolicy({ minLength: 15 })
const refused = (message: RegExp) => ({ name: 'WeakPasswordError', code: 'weak_password', statusCode: 400, message })

// Must be the first test of this file: what is loaded stays loaded.
t.test('the common passwords are loaded for the first check and not before', async (t) => {
  const require = createRequire(import.meta.url)
  const isLoaded = () => Object.keys(require.cache).some((file) => file.includes('language-common'))

  const before = isLoaded()
  await policy.check('correct horse battery staple', owner)

  t.equal(before, false)
  t.equal(isLoaded(), true)
})

t.test('check', async (t) => {
  const accepted = [
    { name: '15 characters', password: 'vR7#kq!zM2p@xLw' },
    { name: 'a passphrase', password: 'correct horse battery staple' },
    { name: 'small letters alone', password: 'wobblycandlefjord' },
    { name: 'spaces around', password: '  candle wobbly ' },
    { name: 'every printing ASCII character', password: '~O!1}g"Z#%x&k\'(m)*W+,-./0t35:;<=>?@AuC[y]^_`{|d\\efhijlnopqrsvwz 24678$9BDEFGHIJKLMNPQRSTUVXY' },
    { name: '15 emoji', password: '😀🐎🔋📎🌍🎈🍉🚲🎻🧊🪁🦉🌵🧭🛶' },
    { name: '15 Chinese characters', password: '山高水長日月星辰風雨雷電花草木' },
    { name: '256 characters', password: 'candle '.repeat(40).slice(0, 253) + 'xyz' },
    { name: '1,024 bytes', password: '😀🐎🔋📎🌍🎈🍉🚲'.repeat(31) + '🎻🧊🪁🦉🌵🧭🛶🧿' },
    { name: 'the name of the service as a small part', password: 'latchkey candle wobbly' },
    { name: 'a part that is repeated and neither short nor common', password: 'k7!wq2zk7!wq2zk7!wq2z' },
    { name: 'a common password with more', password: 'password candle wobbly' },
    { name: 'a run with more', password: '123456 candle wobbly' }
  ]
  for (const { name, password } of accepted) {
    t.test(`accepts ${name}`, async (t) => {
      t.equal(await policy.check(password, owner), password)
    })
  }

  t.test('resolves to the composed password', async (t) => {
    t.equal(await policy.check('cafe\u0301 wobbly candle', owner), 'caf\u00e9 wobbly candle')
  })

  const faults = [
    { name: '14 characters', password: 'vR7#kq!zM2p@xL', message: /at least 15 characters/ },
    { name: '14 characters of more units', password: '😀🐎🔋📎🌍🎈🍉🚲🎻🧊🪁🦉🌵🧭', message: /at least 15 characters/ },
    { name: '14 characters typed as 15', password: 'wobblycandlefe\u0301', message: /at least 15 characters/ },
    { name: 'no text', password: '', message: /at least 15 characters/ },
    { name: '257 characters', password: 'candle '.repeat(40).slice(0, 257), message: /at most 256 characters/ },
    { name: 'over 1,024 bytes', password: '😀🐎🔋📎🌍🎈🍉🚲'.repeat(32) + 'x', message: /at most 256 characters/ },
    { name: 'a NUL', password: 'candle\0wobbly fjord', message: /valid Unicode/ },
    { name: 'a lone surrogate', password: 'wobbly candle \ud800 fjord', message: /valid Unicode/ },
    { name: 'the username inside', password: 'wobbly ada.king candle', message: /username and e-mail/ },
    { name: 'the username in capitals', password: 'wobbly ADA.KING candle', message: /username and e-mail/ },
    { name: 'the username in full-width letters', password: 'wobbly ａｄａ.ｋｉｎｇ candle', message: /username and e-mail/ },
    { name: 'the e-mail address', password: 'countess@lovelace.example', message: /username and e-mail/ },
    { name: 'the local part of the e-mail address', password: 'wobbly Countess candle', message: /username and e-mail/ },
    { name: 'the name of the service twice', password: 'latchkeyLatchkey', message: /name of this service/ },
    { name: 'the name of the service for the most part', password: 'latchkey!2#k9vq', message: /name of this service/ },
    { name: 'the digits in order', password: '123456789012345', message: /in the order/ },
    { name: 'the digits backwards', password: '098765432109876', message: /in the order/ },
    { name: 'the digits up to the zero', password: '7890789078907890', message: /in the order/ },
    { name: 'the digits down to the zero', password: '3210321032103210', message: /in the order/ },
    { name: 'the alphabet', password: 'abcdefghijklmnop', message: /in the order/ },
    { name: 'the alphabet backwards', password: 'zyxwvutsrqponmlk', message: /in the order/ },
    { name: 'the alphabet around its end', password: 'stuvwxyzabcdefg', message: /in the order/ },
    { name: 'the keyboard', password: 'qwertyuiopasdfgh', message: /in the order/ },
    { name: 'the keyboard in capitals', password: 'QWERTYUIOPASDFGH', message: /in the order/ },
    { name: 'the keyboard backwards', password: 'poiuytrewqlkjhgf', message: /in the order/ },
    { name: 'a row of the keyboard again', password: 'asdfghjklasdfgh', message: /in the order/ },
    { name: 'the last row of the keyboard', password: 'zxcvbnmzxcvbnmz', message: /in the order/ },
    { name: 'the middle row of the keyboard, at its left', password: 'asdfasdfasdfasdf', message: /in the order/ },
    { name: 'a German keyboard', password: 'qwertzuiopasdfyxcvb', message: /in the order/ },
    { name: 'the first row of a German keyboard', password: 'qwertzqwertzqwertz', message: /in the order/ },
    { name: 'a French keyboard', password: 'azertyuiopqsdfghjklmwxcvbn', message: /in the order/ },
    { name: 'the first row of a French keyboard', password: 'azertyazertyazerty', message: /in the order/ },
    { name: 'several runs', password: 'abcdef123456qwert', message: /in the order/ },
    { name: 'one character', password: 'xxxxxxxxxxxxxxx', message: /in the order/ },
    { name: 'spaces', password: ' '.repeat(15), message: /in the order/ },
    { name: 'a common password', password: '1qaz2wsx3edc4rfv', message: /widely used/ },
    { name: 'a common password in capitals', password: '1QAZ2WSX3EDC4RFV', message: /widely used/ },
    { name: 'a common password that is itself a repetition', password: 'passwordpassword', message: /widely used/ },
    { name: 'a common password twice', password: 'sunshinesunshine', message: /repeated/ },
    { name: 'a common password repeated', password: 'dragondragondragon', message: /repeated/ },
    { name: 'a common password repeated and cut', password: 'Passwordpasswordpass', message: /repeated/ },
    { name: 'three characters repeated', password: 'abcabcabcabcabc', message: /repeated/ },
    { name: 'four characters repeated', password: 'k7!wk7!wk7!wk7!w', message: /repeated/ },
    { name: 'four emoji repeated', password: '😀🐎🔋📎'.repeat(4), message: /repeated/ }
  ]
  for (const { name, password, message } of faults) {
    t.test(`refuses ${name}`, async (t) => {
      await t.rejects(policy.check(password, owner), refused(message))
    })
  }

  const owners = [
    { name: 'a username of three characters', owner: { username: 'dle' } },
    { name: 'no e-mail address', owner: { username: 'ada.king', email: null } },
    { name: 'a local part of three characters', owner: { username: 'ada.king', email: 'dle@b.co' } }
  ]
  for (const { name, owner } of owners) {
    t.test(`lets ${name} be in the password`, async (t) => {
      await t.resolves(policy.check('wobbly candle fjord', owner))
    })
  }

  const inside = [
    { name: 'a username of four characters', owner: { username: 'ndle' } },
    { name: 'a Greek username at whose end the sigma has another form', owner: { username: 'νικος' }, password: 'wobbly νικοσκερι fjord' },
    { name: 'an address with a short local part', owner: { username: 'x', email: 'a@b.co' }, password: 'wobbly A@B.co candle' }
  ]
  for (const { name, owner, password = 'wobbly candle fjord' } of inside) {
    t.test(`does not let ${name} be in the password`, async (t) => {
      await t.rejects(policy.check(password, owner), refused(/username and e-mail/))
    })
  }

  t.test('takes the least length from its option', async (t) => {
    const short = createPasswordPolicy({ minLength: 8 })

    t.equal(await short.check('vR7#kq!z', owner), 'vR7#kq!z')
    await t.rejects(short.check('vR7#kq!', owner), refused(/at least 8 characters/))
    await t.rejects(short.check('iloveyou', owner), refused(/widely used/))
  })

  t.test('never changes what it accepts once more', async (t) => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', minLength: 15, maxLength: 40 }), async (text) => {
      const password = await policy.check(text, owner).catch(() => undefined)
      if (password !== undefined) t.equal(await policy.check(password, owner), password)
    }))
  })
})

t.test('normalizePassword', async (t) => {
  const passwords = [
    { name: 'keeps a password', text: ' Candle\0 ', password: ' Candle\0 ' },
    { name: 'keeps no text', text: '', password: '' },
    { name: 'composes', text: 'cafe\u0301', password: 'caf\u00e9' },
    { name: 'keeps compatibility characters', text: 'ﬁＡ', password: 'ﬁＡ' },
    { name: 'keeps 256 characters', text: 'x'.repeat(256), password: 'x'.repeat(256) },
    { name: 'keeps 256 characters that are typed as 1,024 units', text: '\u1f82'.normalize('NFD').repeat(256), password: '\u1f82'.repeat(256) },
    { name: 'keeps 1,024 bytes', text: '😀'.repeat(256), password: '😀'.repeat(256) },
    { name: 'refuses 257 characters', text: 'x'.repeat(257), password: undefined },
    { name: 'refuses a lone high surrogate', text: 'x\ud800', password: undefined },
    { name: 'refuses a lone low surrogate', text: '\udc00x', password: undefined }
  ]
  for (const { name, text, password } of passwords) {
    t.test(name, async (t) => {
      t.equal(normalizePassword(text), password)
    })
  }

  t.test('does no work on text that no password is typed with', async (t) => {
    const normalize = t.capture(String.prototype, 'normalize', String.prototype.normalize)

    t.equal(normalizePassword('x'.repeat(256 * 6 + 1)), undefined)

    t.equal(normalize().length, 0)
  })
})
