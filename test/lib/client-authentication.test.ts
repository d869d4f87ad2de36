import t from 'tap'
import { authenticateClient } from '../../lib/client-authentication.ts'
import { OAuthError } from '../../lib/errors.ts'
import { parseForm } from '../../lib/form.ts'

const base64 = (pair: string | Buffer): string => Buffer.from(pair).toString('base64')
const basic = (pair: string | Buffer): string => `Basic ${base64(pair)}`

function refusal (authorization: string | undefined, body: string): unknown {
  try {
    return authenticateClient(authorization, parseForm(body))
  } catch (error) {
    return error
  }
}

const accepted = [
  { name: 'no credentials at all', header: undefined, body: '' },
  { name: 'an empty client_id', header: undefined, body: 'client_id=&client_secret=' },
  { name: 'its id in the body', header: undefined, body: 'client_id=first-party' },
  { name: 'its id and an empty secret in the body', header: undefined, body: 'client_id=first-party&client_secret=' },
  { name: 'its id and an empty secret in the header', header: basic('first-party:'), body: '' },
  { name: 'an id that is form-encoded before base64', header: basic('first%2Dparty:'), body: '' },
  { name: 'the scheme in lower case', header: `basic ${base64('first-party:')}`, body: '' },
  { name: 'the scheme in upper case and two spaces', header: `BASIC  ${base64('first-party:')}`, body: '' },
  { name: 'the same id in the header and the body', header: basic('first-party:'), body: 'client_id=first-party' },
  { name: 'an empty pair', header: basic(':'), body: '' },
  { name: 'an empty pair and its id in the body', header: basic(':'), body: 'client_id=first-party' }
]
for (const { name, header, body } of accepted) {
  t.test(`takes ${name} for the first-party client`, async (t) => {
    const client = authenticateClient(header, parseForm(body))

    t.equal(client.id, 'first-party')
  })
}

const invalidInHeader = [
  { name: 'an unknown client', header: basic('nobody:'), body: '' },
  { name: 'an empty id with a secret', header: basic(':secret'), body: '' },
  { name: 'a secret for the public client', header: basic('first-party:secret'), body: '' },
  { name: 'a secret that holds a colon', header: basic('first-party::'), body: '' },
  { name: 'a pair without a colon', header: basic('first-party'), body: '' },
  { name: 'a pair that is not UTF-8', header: basic(Buffer.from('66697273742d70617274ff3a', 'hex')), body: '' },
  { name: 'our id with a high bit set', header: basic(Buffer.from('\xe6irst-party:', 'latin1')), body: '' },
  { name: 'a secret outside ASCII', header: basic('first-party:é'), body: '' },
  { name: 'a bad escape in the id', header: basic('%zz:'), body: '' },
  { name: 'a bad escape in the secret', header: basic('first-party:%'), body: '' },
  { name: 'invalid UTF-8 in an escape', header: basic('first-party:%ff'), body: '' },
  { name: 'spaces inside the base64', header: 'Basic Zmlyc3Qt cGFydHk6', body: '' },
  { name: 'a space after the base64', header: `${basic('first-party:')} `, body: '' },
  { name: 'a tab after the scheme', header: `Basic\t${base64('first-party:')}`, body: '' },
  { name: 'too much padding', header: `${basic('first-party:')}=`, body: '' },
  { name: 'missing padding', header: basic('first%2Dparty:').replace(/=+$/, ''), body: '' },
  { name: 'unused bits that are set', header: 'Basic Oh==', body: '' },
  { name: 'the URL-safe alphabet', header: basic('first-party:~~~').replaceAll('+', '-').replaceAll('/', '_'), body: '' },
  { name: 'nothing after the scheme', header: 'Basic', body: '' },
  { name: 'nothing after the scheme and a space', header: 'Basic ', body: '' },
  { name: 'an empty header', header: '', body: '' },
  { name: 'another scheme', header: 'Bearer abc', body: '' },
  { name: 'another scheme that ends alike', header: `X${basic('first-party:')}`, body: '' },
  { name: 'another scheme beside a good id in the body', header: 'Bearer abc', body: 'client_id=first-party' },
  { name: 'an unreadable header beside a good id in the body', header: 'Basic *', body: 'client_id=first-party' }
]
for (const { name, header, body } of invalidInHeader) {
  t.test(`refuses ${name} with a challenge`, async (t) => {
    const error = refusal(header, body)

    t.type(error, OAuthError)
    t.match(error, { statusCode: 401, code: 'invalid_client', message: 'Unknown client or wrong client credentials' })
    t.strictSame((error as OAuthError).headers, { 'www-authenticate': 'Basic realm="latchkey"' })
  })
}

const invalidInBody = [
  { name: 'an unknown client', header: undefined, body: 'client_id=nobody' },
  { name: 'an unknown client with a secret', header: undefined, body: 'client_id=nobody&client_secret=x' },
  { name: 'a secret for the public client', header: undefined, body: 'client_id=first-party&client_secret=x' },
  { name: 'a secret without an id', header: undefined, body: 'client_secret=x' },
  { name: 'an unknown client beside an empty pair', header: basic(':'), body: 'client_id=nobody' },
  { name: 'a secret beside an empty pair', header: basic(':'), body: 'client_id=first-party&client_secret=x' }
]
for (const { name, header, body } of invalidInBody) {
  t.test(`refuses ${name} in the body without a challenge`, async (t) => {
    const error = refusal(header, body)

    t.type(error, OAuthError)
    t.match(error, { statusCode: 401, code: 'invalid_client', message: 'Unknown client or wrong client credentials' })
    t.strictSame((error as OAuthError).headers, {})
  })
}

const contradictory = [
  { name: 'a secret in the header and one in the body', header: basic('first-party:x'), body: 'client_id=first-party&client_secret=x' },
  { name: 'a header and a secret in the body', header: basic('first-party:'), body: 'client_secret=x' },
  { name: 'a header and the same id with a secret in the body', header: basic('first-party:'), body: 'client_id=first-party&client_secret=x' },
  { name: 'a header and another id in the body', header: basic('first-party:'), body: 'client_id=other' },
  { name: 'an unknown client in the header and ours in the body', header: basic('other:'), body: 'client_id=first-party' }
]
for (const { name, header, body } of contradictory) {
  t.test(`refuses ${name} as an invalid request`, async (t) => {
    const error = refusal(header, body)

    t.type(error, OAuthError)
    t.match(error, { statusCode: 400, code: 'invalid_request' })
  })
}
