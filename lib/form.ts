import { OAuthError } from './errors.ts'

/** The most parameters a form may have; the OAuth endpoints know fewer than ten. */
export const MAX_PARAMETERS = 32

const PRINTABLE_ASCII = /^[\x20-\x7E]*$/

/**
 * Decodes one name or value of a form, RFC 6749 appendix B. The answer is undefined for text that no
 * encoder writes: raw characters outside printable ASCII, a bad escape, invalid UTF-8, NUL.
 */
export function decodeFormComponent (text: string): string | undefined {
  // A raw space stays allowed: it is what people get who write `curl -d 'scope=a b'`.
  if (!PRINTABLE_ASCII.test(text)) return undefined
  try {
    // Unlike URLSearchParams this refuses `%zz`, overlong forms and surrogates instead of guessing,
    // so that two different bodies never mean the same password.
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}

/**
 * Parses the body of an OAuth endpoint, RFC 6749 section 3.2. An empty value means that the parameter
 * was left out; unknown parameters are kept for the caller to ignore. The result has no prototype.
 *
 * @throws OAuthError `invalid_request` for a repeated parameter, too many parameters or a broken encoding
 */
export function parseForm (body: string): Record<string, string> {
  const form: Record<string, string> = Object.create(null)
  const names = new Set<string>()

  // matchAll is lazy: a form of 100,000 parameters costs as much as one of 33. Empty pairs are skipped as in the URL standard.
  for (const [pair] of body.matchAll(/[^&]+/g)) {
    if (names.size === MAX_PARAMETERS) throw new OAuthError('invalid_request', `The form has more than ${MAX_PARAMETERS} parameters`)

    const separator = pair.indexOf('=')
    const name = decodeFormComponent(separator === -1 ? pair : pair.slice(0, separator))
    const value = decodeFormComponent(separator === -1 ? '' : pair.slice(separator + 1))
    if (name === undefined || value === undefined) throw new OAuthError('invalid_request', 'The form is not correctly encoded')
    if (names.has(name)) throw new OAuthError('invalid_request', 'A parameter is repeated')

    names.add(name)
    if (value !== '') form[name] = value
  }
  return form
}

/** @throws OAuthError `invalid_request` that names the parameter if it is missing */
export function requireParameter (form: Readonly<Record<string, string>>, name: string): string {
  const value = form[name]
  if (value === undefined) throw new OAuthError('invalid_request', `The parameter ${name} is missing`)
  return value
}
