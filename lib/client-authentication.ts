import { FIRST_PARTY_CLIENT, findClient, type Client } from './clients.ts'
import { OAuthError } from './errors.ts'
import { decodeFormComponent } from './form.ts'
import { countHeader } from './raw-headers.ts'

interface Credentials {
  id: string
  secret: string
}

// RFC 9110 section 11.4: the scheme in any case, at least one space, then the encoded credentials.
const BASIC = /^basic +([A-Za-z0-9+/=]+)$/i

// RFC 7617 section 2: the first colon ends the id.
const PAIR = /^([^:]*):(.*)$/s

function invalidClient (usedHeader: boolean): OAuthError {
  return new OAuthError('invalid_client', 'Unknown client or wrong client credentials', {
    statusCode: 401,
    headers: usedHeader ? { 'www-authenticate': 'Basic realm="latchkey"' } : {}
  })
}

/** The answer is undefined for the empty pair, which Swagger UI sends when its client fields are empty. */
function parseBasic (authorization: string): Credentials | undefined {
  // Another scheme is no invalid_request: RFC 6749 section 5.2 lists an "unsupported authentication
  // method" under invalid_client, and asks for 401 and a challenge when the header was used.
  const encoded = BASIC.exec(authorization)?.[1]
  if (encoded === undefined) throw invalidClient(true)

  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) throw invalidClient(true)

  // The pair is form-encoded before base64 (RFC 6749 section 2.3.1), so it is ASCII; latin1 keeps
  // every other byte visible, valid UTF-8 or not, and the decoder refuses it.
  const pair = bytes.toString('latin1')
  if (pair === ':') return undefined

  const parts = PAIR.exec(pair)
  if (parts === null) throw invalidClient(true)
  const [id, secret] = parts.slice(1).map((part) => decodeFormComponent(part))
  if (id === undefined || secret === undefined) throw invalidClient(true)
  return { id, secret }
}

function requireClient ({ id, secret }: Credentials, usedHeader: boolean): Client {
  const client = findClient(id)
  // No client has a secret, so whoever sends one is not who the id says.
  if (client === undefined || secret !== '') throw invalidClient(usedHeader)
  return client
}

// Node keeps the first of several, and the gateway in front may have looked at another one.
const ONLY_ONCE = ['authorization', 'content-type']

/**
 * Takes the headers as Node lists them: names and values in turn.
 *
 * @throws OAuthError `invalid_request` if a header that says who sends what is repeated
 */
export function refuseRepeatedHeaders (rawHeaders: readonly string[]): void {
  if (ONLY_ONCE.some((name) => countHeader(rawHeaders, name) > 1)) throw new OAuthError('invalid_request', 'A header is repeated')
}

/**
 * Finds out which client sends a request, RFC 6749 section 2.3: by the Basic header or by `client_id`
 * and `client_secret` in the parsed form. Without either, the first-party client is meant.
 *
 * @throws OAuthError `invalid_request` for credentials in both places; `invalid_client` (401, with a
 *   challenge if the header was used) for an unknown client or wrong or unreadable credentials
 */
export function authenticateClient (authorization: string | undefined, form: Readonly<Record<string, string>>): Client {
  const { client_id: id, client_secret: secret } = form
  const basic = authorization === undefined ? undefined : parseBasic(authorization)

  if (basic === undefined) return requireClient({ id: id ?? FIRST_PARTY_CLIENT.id, secret: secret ?? '' }, false)

  // RFC 6749 section 2.3 forbids a second authentication method. A client_id without a secret is none:
  // by section 3.2.1 it only identifies the client, and some clients repeat it. It must not contradict the header.
  if (secret !== undefined || (id !== undefined && id !== basic.id)) {
    throw new OAuthError('invalid_request', 'Send the client credentials either in the header or in the body')
  }
  return requireClient(basic, true)
}
