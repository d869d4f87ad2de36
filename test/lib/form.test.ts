import t from 'tap'
import { OAuthError } from '../../lib/errors.ts'
import { decodeFormComponent, MAX_PARAMETERS, parseForm } from '../../lib/form.ts'

const BROKEN = new OAuthError('invalid_request', 'The form is not correctly encoded')
const REPEATED = new OAuthError('invalid_request', 'A parameter is repeated')
const TOO_MANY = new OAuthError('invalid_request', 'The form has more than 32 parameters')

const parameters = (count: number): string => Array.from({ length: count }, (_, index) => `p${index}=v`).join('&')

t.test('parseForm reads', async (t) => {
  const accepted = [
    { name: 'an empty body', body: '', form: {} },
    { name: 'plus and %20 as spaces', body: 'a=x+y%20z', form: { a: 'x y z' } },
    { name: 'a raw space', body: 'scope=profile account', form: { scope: 'profile account' } },
    { name: 'an escaped plus, ampersand and equals sign', body: 'a=%2B%26%3D', form: { a: '+&=' } },
    { name: 'a raw equals sign in a value', body: 'a=b==', form: { a: 'b==' } },
    { name: 'UTF-8', body: 'a=%C3%A9%f0%9f%94%91', form: { a: 'é🔑' } },
    { name: 'an escaped percent sign as text', body: 'a=%25ff', form: { a: '%ff' } },
    { name: 'a byte order mark as text', body: 'a=%EF%BB%BFx', form: { a: '\uFEFFx' } },
    { name: 'an escaped name', body: '%61=1', form: { a: '1' } },
    { name: 'an empty value as left out', body: 'a=&b&c=1', form: { c: '1' } },
    { name: 'empty pairs as nothing', body: '&a=1&&b=2&', form: { a: '1', b: '2' } },
    { name: 'bracket names as other names', body: 'username[]=a&username[0]=b', form: { 'username[]': 'a', 'username[0]': 'b' } },
    { name: 'names that differ in case as different', body: 'a=1&A=2', form: { a: '1', A: '2' } },
    { name: 'an empty name', body: '=x', form: { '': 'x' } },
    { name: 'quotes, backslashes and line breaks as text', body: 'a=%22%5C%0D%0A<b>', form: { a: '"\\\r\n<b>' } }
  ]
  for (const { name, body, form } of accepted) {
    t.test(name, async (t) => {
      const result = parseForm(body)

      t.strictSame({ ...result }, form)
    })
  }

  t.test('names of Object.prototype like all other names', async (t) => {
    const result = parseForm('__proto__=x&constructor=y')

    t.equal(Object.getPrototypeOf(result), null)
    t.strictSame(Object.entries(result), [['__proto__', 'x'], ['constructor', 'y']])
    t.equal(parseForm('a=1').constructor, undefined)
  })

  t.test('as many parameters as are allowed', async (t) => {
    const result = parseForm(parameters(MAX_PARAMETERS))

    t.equal(MAX_PARAMETERS, 32)
    t.equal(Object.keys(result).length, 32)
  })

  t.test('any number of empty pairs', async (t) => {
    const result = parseForm('&'.repeat(100_000) + 'a=1')

    t.equal(result.a, '1')
  })
})

t.test('parseForm refuses', async (t) => {
  const refused = [
    { name: 'a repeated parameter', body: 'username=a&username=b', error: REPEATED },
    { name: 'a parameter repeated with the same value', body: 'a=1&a=1', error: REPEATED },
    { name: 'a repeat whose first value is empty', body: 'a=&a=1', error: REPEATED },
    { name: 'a repeat whose second value is missing', body: 'a=1&a', error: REPEATED },
    { name: 'a repeat under an escaped name', body: 'a=1&%61=2', error: REPEATED },
    { name: 'a repeated __proto__', body: '__proto__=1&__proto__=2', error: REPEATED },
    { name: 'a bad escape', body: 'a=%zz', error: BROKEN },
    { name: 'a lone percent sign', body: 'a=%', error: BROKEN },
    { name: 'a cut escape', body: 'a=%4', error: BROKEN },
    { name: 'a bad escape in a name', body: '%zz=1', error: BROKEN },
    { name: 'a bad escape in a name without value', body: '%zz', error: BROKEN },
    { name: 'bytes that are never UTF-8', body: 'a=%ff%fe', error: BROKEN },
    { name: 'overlong UTF-8', body: 'a=%c0%80', error: BROKEN },
    { name: 'an encoded surrogate', body: 'a=%ed%a0%80', error: BROKEN },
    { name: 'cut UTF-8', body: 'a=%C3', error: BROKEN },
    { name: 'a raw character outside ASCII', body: 'a=é', error: BROKEN },
    { name: 'a raw replacement character', body: 'a=\uFFFD', error: BROKEN },
    { name: 'a raw byte order mark', body: '\uFEFFa=1', error: BROKEN },
    { name: 'a raw line break', body: 'a=1\n', error: BROKEN },
    { name: 'a raw DEL', body: 'a=\x7f', error: BROKEN },
    { name: 'a raw NUL', body: 'a=\0', error: BROKEN },
    { name: 'an escaped NUL', body: 'a=x%00', error: BROKEN },
    { name: 'an escaped NUL in a name', body: 'a%00=x', error: BROKEN },
    { name: 'one parameter too many', body: parameters(MAX_PARAMETERS + 1), error: TOO_MANY },
    { name: 'too many parameters that are all empty', body: parameters(MAX_PARAMETERS + 1).replaceAll('=v', '='), error: TOO_MANY },
    { name: '100,000 parameters', body: parameters(100_000), error: TOO_MANY },
    { name: 'too many parameters before it looks at the rest', body: parameters(MAX_PARAMETERS) + '&p0=%zz', error: TOO_MANY }
  ]
  for (const { name, body, error } of refused) {
    t.test(name, async (t) => {
      t.throws(() => parseForm(body), error)
    })
  }
})

t.test('parseForm says what is wrong within the alphabet of RFC 6749 section 5.2', async (t) => {
  for (const { message } of [BROKEN, REPEATED, TOO_MANY]) {
    t.match(message, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
  }
})

t.test('decodeFormComponent answers undefined for broken text', async (t) => {
  t.equal(decodeFormComponent('a%20b+c'), 'a b c')
  t.equal(decodeFormComponent(''), '')
  t.equal(decodeFormComponent('%'), undefined)
})
