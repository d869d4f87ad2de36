import fc from 'fast-check'
import t from 'tap'
import { canonicalIdentifier, parseEmail } from '../../lib/identifiers.ts'

const refused = (message: RegExp) => ({ name: 'ValidationError', code: 'validation_failed', statusCode: 400, message })

t.test('parseEmail', async (t) => {
  const longest = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
  const addresses = [
    { name: 'keeps a plain address', text: 'ada@example.com', address: 'ada@example.com', canonical: 'ada@example.com' },
    { name: 'keeps the spelling of the local part', text: 'Ada.L@EXAMPLE.com', address: 'Ada.L@example.com', canonical: 'ada.l@example.com' },
    { name: 'keeps plus tags and dots', text: 'a.da+news@example.com', address: 'a.da+news@example.com', canonical: 'a.da+news@example.com' },
    { name: 'takes every sign of an atom', text: "!#$%&'*+-/=?^_`{|}~@b.co", address: "!#$%&'*+-/=?^_`{|}~@b.co", canonical: "!#$%&'*+-/=?^_`{|}~@b.co" },
    { name: 'makes the domain ASCII', text: 'ada@Bücher.example', address: 'ada@xn--bcher-kva.example', canonical: 'ada@xn--bcher-kva.example' },
    { name: 'composes the domain', text: 'ada@Bu\u0308cher.example', address: 'ada@xn--bcher-kva.example', canonical: 'ada@xn--bcher-kva.example' },
    { name: 'takes a domain of look-alikes for another domain', text: 'ada@g\u0131thub.com', address: 'ada@xn--gthub-n4a.com', canonical: 'ada@xn--gthub-n4a.com' },
    { name: 'takes the Kelvin sign in a domain for a k', text: 'ada@\u212ay.com', address: 'ada@ky.com', canonical: 'ada@ky.com' },
    { name: 'takes a top-level domain in its ASCII form', text: 'a@b.xn--p1ai', address: 'a@b.xn--p1ai', canonical: 'a@b.xn--p1ai' },
    { name: 'takes 254 characters', text: longest, address: longest, canonical: longest }
  ]
  for (const { name, text, address, canonical } of addresses) {
    t.test(name, async (t) => {
      t.same(parseEmail(text), { address, canonical })
    })
  }

  const faults = [
    { name: 'no text', text: '', message: /exactly one @/ },
    { name: 'no at sign', text: 'example.com', message: /exactly one @/ },
    { name: 'two at signs', text: 'a@b@c.com', message: /exactly one @/ },
    { name: 'a full-width at sign', text: 'ada\uff20example.com', message: /exactly one @/ },
    { name: 'a full-width at sign besides', text: 'a\uff20evil.com@b.com', message: /before the @/ },
    { name: 'no local part', text: '@b.com', message: /before the @/ },
    { name: 'a local part of 65 characters', text: `${'a'.repeat(65)}@b.com`, message: /at most 64/ },
    { name: 'a dot in front', text: '.a@b.com', message: /single dots before/ },
    { name: 'a dot at the end', text: 'a.@b.com', message: /single dots before/ },
    { name: 'two dots', text: 'a..b@b.com', message: /single dots before/ },
    { name: 'a quoted local part', text: '"a b"@b.com', message: /before the @/ },
    { name: 'a comment', text: 'a(x)@b.com', message: /before the @/ },
    { name: 'a comment in the domain', text: 'a@b.com(x)', message: /after the @/ },
    { name: 'a display name', text: 'Ada <a@b.com>', message: /before the @/ },
    { name: 'two addresses', text: 'x,a@b.com', message: /before the @/ },
    { name: 'a space in front', text: ' a@b.com', message: /before the @/ },
    { name: 'a space at the end', text: 'a@b.com ', message: /after the @/ },
    { name: 'a NUL', text: 'a\0@b.com', message: /before the @/ },
    { name: 'a header after a line break', text: 'a@b.co\r\nBcc: x@y', message: /exactly one @/ },
    { name: 'a header without an at sign after a line break', text: 'a@b.co\r\nSubject: x', message: /after the @/ },
    { name: 'a line break in the local part', text: 'a\n@b.com', message: /before the @/ },
    { name: 'a line break in the domain', text: 'a@exa\nmple.com', message: /after the @/ },
    { name: 'a local part that is not ASCII', text: 'm\u0131ke@b.com', message: /ASCII/ },
    { name: 'a Kelvin sign in the local part', text: 'mi\u212ae@b.com', message: /ASCII/ },
    { name: 'a lone surrogate', text: 'a@b\ud800.com', message: /after the @/ },
    { name: 'no domain', text: 'a@', message: /after the @/ },
    { name: 'a domain without a dot', text: 'a@localhost', message: /after the @/ },
    { name: 'an empty label', text: 'a@b..com', message: /after the @/ },
    { name: 'a dot after the domain', text: 'a@b.com.', message: /after the @/ },
    { name: 'a hyphen in front of the domain', text: 'a@-b.com', message: /after the @/ },
    { name: 'a label of 64 characters', text: `a@${'b'.repeat(64)}.com`, message: /after the @/ },
    { name: 'a percent-encoded domain', text: 'a@ex%61mple.com', message: /after the @/ },
    { name: 'a path after the domain', text: 'a@b.com/x', message: /after the @/ },
    { name: 'a port', text: 'a@b.com:25', message: /after the @/ },
    { name: 'an address literal', text: 'a@[127.0.0.1]', message: /after the @/ },
    { name: 'an IPv6 literal', text: 'a@[IPv6:::1]', message: /after the @/ },
    { name: 'an IPv4 address', text: 'a@127.0.0.1', message: /after the @/ },
    { name: 'a short IPv4 address', text: 'a@0x7f.1', message: /after the @/ },
    { name: 'a full-width IPv4 address', text: 'a@１２７.１', message: /after the @/ },
    { name: '255 characters', text: 'x' + longest, message: /at most 254/ },
    { name: 'a domain that is too long in ASCII', text: `${'a'.repeat(64)}@${'ü'.repeat(30)}.${`${'ü'.repeat(25)}.`.repeat(5)}com`, message: /at most 254/ }
  ]
  for (const { name, text, message } of faults) {
    t.test(`refuses ${name}`, async (t) => {
      t.throws(() => parseEmail(text), refused(message))
    })
  }

  t.test('gives the same again for what it gave', async (t) => {
    const domains = fc.string({ unit: fc.constantFrom(...'aZ0-.üßıſñ日本'), minLength: 1, maxLength: 6 })

    fc.assert(fc.property(fc.emailAddress(), domains, (address, domain) => {
      for (const text of [address, `Ada@${domain}.com`]) {
        if (canonicalIdentifier(text) === undefined) continue
        const email = parseEmail(text)
        t.same(parseEmail(email.address), email)
        t.equal(parseEmail(email.canonical).canonical, email.canonical)
      }
    }))
  })
})
