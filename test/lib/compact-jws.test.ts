import { readFile } from 'node:fs/promises'
import t from 'tap'
import { InvalidTokenError, MAX_TOKEN_LENGTH, parseCompactJws, splitCompactJws } from '../../lib/compact-jws.ts'

const encode = (data: string | Buffer): string => Buffer.from(data).toString('base64url')

const HEADER = '{"alg":"ES256","typ":"at+jwt","kid":"k1"}'
const PAYLOAD = '{"sub":"u1","exp":1700000000,"aud":["a","b"],"x":null,"y":true}'
const SIGNATURE = Buffer.alloc(64, 7)

const compact = (header: string | Buffer, payload: string | Buffer): string => [header, payload, SIGNATURE].map(encode).join('.')
const GOOD = compact(HEADER, PAYLOAD)

t.test('parseCompactJws reads a token written as we write it', async (t) => {
  const token = parseCompactJws(GOOD)

  t.strictSame(token, { header: JSON.parse(HEADER), payload: JSON.parse(PAYLOAD) })
})

t.test('splitCompactJws gives back the parts', async (t) => {
  const parts = splitCompactJws(compact(HEADER, 'any bytes'))

  t.strictSame(parts, {
    headerText: HEADER,
    payloadBytes: Buffer.from('any bytes'),
    signature: SIGNATURE,
    signingInput: `${encode(HEADER)}.${encode('any bytes')}`
  })
})

t.test('a token may be 8192 characters long and no longer', async (t) => {
  const payload = (length: number): string => JSON.stringify({ x: 'x'.repeat(length) })
  const longest = compact(HEADER.replace('k1', 'k12'), payload(6028))
  const tooLong = compact(HEADER, payload(6029))

  t.equal(MAX_TOKEN_LENGTH, 8192)
  t.equal(longest.length, 8192)
  t.equal(tooLong.length, 8193)
  t.doesNotThrow(() => parseCompactJws(longest))
  t.throws(() => parseCompactJws(tooLong), new InvalidTokenError('the token is too long'))
})

t.test('splitCompactJws refuses', async (t) => {
  const [header = '', payload = '', signature = ''] = GOOD.split('.')
  // 'AA' and 'AB' decode to the same byte; the second sets unused bits.
  const refused = [
    { name: 'an empty string', text: '' },
    { name: 'one segment', text: header },
    { name: 'two segments', text: `${header}.${payload}` },
    { name: 'four segments', text: `${GOOD}.AA` },
    { name: 'four segments, the last one empty', text: `${GOOD}.` },
    { name: 'the five segments of an encrypted token', text: `${GOOD}.AA.AA` },
    { name: 'nothing but dots', text: '.'.repeat(8192) },
    { name: 'an empty header', text: `.${payload}.${signature}` },
    { name: 'an empty payload', text: `${header}..${signature}` },
    { name: 'an empty signature', text: `${header}.${payload}.` },
    { name: 'a header that is not UTF-8', text: compact(Buffer.from([0x7b, 0xff, 0x7d]), PAYLOAD) },
    { name: 'a leading space', text: ` ${GOOD}` },
    { name: 'a trailing line break', text: `${GOOD}\n` },
    { name: 'a space in the header', text: `${header} .${payload}.${signature}` },
    { name: 'a line break in the payload', text: `${header}.\n${payload}.${signature}` },
    { name: 'a tab in the signature', text: `${header}.${payload}.\t${signature}` },
    { name: 'padding', text: `${header}.${payload}.${signature}==` },
    { name: 'the standard alphabet', text: `${header}.${payload}.+/+/` },
    { name: 'a character outside ASCII', text: `${header}.${payload}.${signature}é` },
    { name: 'a segment of one character', text: `${header}.${payload}.A` },
    { name: 'a dangling character', text: `${header}.${payload}.AAAAA` },
    { name: 'unused bits that are set', text: `${header}.${payload}.AB` }
  ]
  for (const { name, text } of refused) {
    t.test(name, async (t) => {
      t.throws(() => splitCompactJws(text), { name: 'InvalidTokenError' })
    })
  }
})

t.test('parseCompactJws refuses', async (t) => {
  const refused = [
    { name: 'an array', json: '["sub"]' },
    { name: 'an array of nothing', json: '[]' },
    { name: 'a string', json: '"sub"' },
    { name: 'a number', json: '1' },
    { name: 'null', json: 'null' },
    { name: 'text that is not JSON', json: 'foo' },
    { name: 'invalid UTF-8', json: Buffer.from('7b2261223a22ff227d', 'hex') },
    { name: 'a byte order mark', json: '\uFEFF{"a":1}' },
    { name: 'a raw NUL', json: '{"a":"\0"}' },
    { name: 'a NUL at the end', json: '{"a":1}\0' },
    { name: 'a duplicate member', json: '{"sub":"u1","sub":"root"}' },
    { name: 'a duplicate member under an escaped name', json: '{"sub":"u1","\\u0073ub":"root"}' },
    { name: 'a number beyond every bound', json: '{"exp":1e400}' },
    { name: 'a number in another notation', json: '{"exp":17e8}' },
    { name: 'a number with more digits than survive', json: '{"exp":9007199254740993}' },
    { name: 'minus zero', json: '{"exp":-0}' },
    { name: 'white space', json: '{ "a":1}' },
    { name: 'a trailing line break', json: '{"a":1}\n' },
    { name: 'a needless escape', json: '{"a":"\\/"}' },
    { name: 'a nested object', json: '{"sub":{"$ne":1}}' },
    { name: 'an object in a list', json: '{"aud":[{}]}' },
    { name: 'a list in a list', json: '{"aud":[[]]}' },
    { name: 'lists nested 3,000 deep', json: `{"a":${'['.repeat(2900)}${']'.repeat(2900)}}` },
    { name: 'objects nested deep', json: '{"a":'.repeat(950) + '1' + '}'.repeat(950) },
    { name: 'a list that is never closed', json: `{"a":${'['.repeat(5900)}` },
    { name: 'an own __proto__ that holds an object', json: '{"__proto__":{"alg":"none"}}' }
  ]
  for (const { name, json } of refused) {
    t.test(`${name} as header`, async (t) => {
      t.throws(() => parseCompactJws(compact(json, PAYLOAD)), { name: 'InvalidTokenError', message: /header/ })
    })

    t.test(`${name} as payload`, async (t) => {
      t.throws(() => parseCompactJws(compact(HEADER, json)), { name: 'InvalidTokenError', message: /payload/ })
    })
  }
})

t.test('the error never repeats the token', async (t) => {
  for (const json of ['secret', '["secret"]', '{"secret":{}}', '{"secret": 1}']) {
    try {
      parseCompactJws(compact(HEADER, json))
      t.fail('the token was accepted')
    } catch (error) {
      t.notMatch(String(error), 'secret')
    }
  }
})

interface Vector { tcId: number, comment: string, jws: string, result: 'valid' | 'invalid' }

const file = new URL('../vectors/json_web_signature_test.json', import.meta.url)
const { testGroups } = JSON.parse(await readFile(file, 'utf8')) as { testGroups: { tests: Vector[] }[] }

// Left out: cases that the file labels wrongly, see test/vectors/README.md.
const MISLABELLED = new Set([367, 370, 372, 373])
const vectors = testGroups.flatMap(({ tests }) => tests).filter(({ tcId }) => !MISLABELLED.has(tcId))

// The invalid cases where the structure is what is wrong; in the others it is the signature or the key.
const BAD_STRUCTURE = new Set([
  3, 4, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, // segments, JSON serialization
  20, 21, 23, 24, 26, 27, 28, 29, 30,
  35, 36, 38, 39, 41, 42, 43, 44, 45,
  341, 342, 343, 344, // alg none, no signature
  360, 361, 362, 363, 364, 365, 366, 368, 369, 371, 374, 375 // base64
])

// Valid by RFC 7515, but no token of ours has an empty payload.
const EMPTY_PAYLOAD = new Set([259, 264, 268, 272, 320, 325])

t.test('of the Wycheproof signatures', async (t) => {
  t.test('all are read', async (t) => {
    t.equal(vectors.length, 397)
    t.equal(vectors.filter(({ result }) => result === 'valid').length, 44)
  })

  for (const { tcId, comment, jws } of vectors.filter(({ tcId }) => BAD_STRUCTURE.has(tcId))) {
    t.test(`case ${tcId}, ${comment}, is refused for its structure`, async (t) => {
      t.throws(() => splitCompactJws(jws), { name: 'InvalidTokenError' })
      t.throws(() => parseCompactJws(jws), { name: 'InvalidTokenError' })
    })
  }

  t.test('those with an empty payload are refused', async (t) => {
    for (const { jws } of vectors.filter(({ tcId }) => EMPTY_PAYLOAD.has(tcId))) {
      t.throws(() => splitCompactJws(jws), new InvalidTokenError('a segment is missing or empty'))
    }
  })

  t.test('the other structures are split without loss', async (t) => {
    const others = vectors.filter(({ tcId }) => !BAD_STRUCTURE.has(tcId) && !EMPTY_PAYLOAD.has(tcId))

    t.equal(others.length, 397 - BAD_STRUCTURE.size - EMPTY_PAYLOAD.size)
    for (const { jws } of others) {
      const { signingInput, headerText, payloadBytes, signature } = splitCompactJws(jws)

      t.equal(`${signingInput}.${encode(signature)}`, jws)
      t.equal(`${encode(headerText)}.${encode(payloadBytes)}`, signingInput)
    }
  })

  t.test('none passes for a token of ours, because no payload is a claim set', async (t) => {
    for (const { jws } of vectors) {
      t.throws(() => parseCompactJws(jws), { name: 'InvalidTokenError' })
    }
  })
})
