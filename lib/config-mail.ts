import type { Environment } from '../schemas/config.ts'
import { isLoopback } from './config-network.ts'

export interface MailConfig {
  /** Undefined where no mail can be sent. */
  smtpUrl: string | undefined
  from: string
  /** Where a mailed link leads; the token is put in by `linkTo`. */
  passwordResetUrl: string
  emailVerificationUrl: string
}

type MailEnvironment = Pick<Environment, 'SMTP_URL' | 'MAIL_FROM' | 'PASSWORD_RESET_URL' | 'EMAIL_VERIFICATION_URL' | 'REGISTRATION'>

/** What is wrong is added to `problems`, by the variable's name. */
export function parseMail (settings: MailEnvironment, publicUrl: string, production: boolean, problems: string[]): MailConfig {
  const { SMTP_URL: smtpUrl, MAIL_FROM: from, REGISTRATION: registration } = settings
  if (smtpUrl !== undefined && !isSmtpUrl(smtpUrl)) problems.push('SMTP_URL must be an smtp:// or smtps:// URL')
  if (smtpUrl === undefined && production && registration === 'open') problems.push('SMTP_URL is required in production with REGISTRATION=open')
  if (from !== undefined && !/^[^\r\n]*[^\s<]@[^\s>]+>?$/.test(from)) problems.push('MAIL_FROM must be an address such as Latchkey <no-reply@example.com>')
  return {
    smtpUrl: production ? withTls(smtpUrl) : smtpUrl,
    from: from ?? `Latchkey <no-reply@${URL.parse(publicUrl)?.hostname ?? 'localhost'}>`,
    passwordResetUrl: parseLink('PASSWORD_RESET_URL', settings, `${publicUrl}/password-reset`, production, problems),
    emailVerificationUrl: parseLink('EMAIL_VERIFICATION_URL', settings, `${publicUrl}/email-verification`, production, problems)
  }
}

function isSmtpUrl (text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== ''
}

/** Whoever is between us and the mail server can take its offer of TLS out, and would read the credentials and the links. */
function withTls (smtpUrl: string | undefined): string | undefined {
  const url = smtpUrl === undefined ? null : URL.parse(smtpUrl)
  if (url === null || url.protocol !== 'smtp:' || isLoopback(url.hostname)) return smtpUrl
  if (url.searchParams.has('requireTLS') || url.searchParams.has('ignoreTLS')) return smtpUrl
  url.searchParams.set('requireTLS', 'true')
  return url.href
}

function parseLink (name: 'PASSWORD_RESET_URL' | 'EMAIL_VERIFICATION_URL', settings: MailEnvironment, fallback: string, production: boolean, problems: string[]): string {
  const text = settings[name]
  if (text === undefined) return fallback
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) problems.push(`${name} must be an http or https URL`)
  else if (production && url.protocol !== 'https:' && !isLoopback(url.hostname)) problems.push(`${name} must begin with https:// in production`)
  else if (text.includes('#') && !text.includes(PLACE)) problems.push(`${name} must have no fragment, or say {token} where the token belongs`)
  return text
}

const PLACE = '{token}'

/** The link for a mail. The token goes into the fragment, which no server and no Referer header gets to see, unless the URL says another place. */
export function linkTo (url: string, token: string): string {
  return url.includes(PLACE) ? url.replaceAll(PLACE, token) : `${url}#token=${token}`
}
