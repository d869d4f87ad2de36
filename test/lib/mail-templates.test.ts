import t from 'tap'
import { MAIL_LINKS, type DueMail, type LinkKind, type NoticeKind } from '../../lib/due-mail.ts'
import { composeMail } from '../../lib/mail-templates.ts'

const TOKEN = 'x'.repeat(43)
const SITE = {
  publicUrl: 'https://id.example.com',
  mail: { smtpUrl: undefined, from: '', passwordResetUrl: 'https://id.example.com/password-reset', emailVerificationUrl: 'https://app.example.com/verify?a=1&b=<{token}>' }
}
const RESET_LINK = `https://id.example.com/password-reset#token=${TOKEN}`
const VERIFICATION_LINK = `https://app.example.com/verify?a=1&b=<${TOKEN}>`

const links: Array<{ kind: LinkKind, subject: string, link: string, lifetime: string }> = [
  { kind: 'email_verification', subject: 'Confirm your e-mail address', link: VERIFICATION_LINK, lifetime: '24 hours' },
  { kind: 'email_change', subject: 'Confirm your new e-mail address', link: VERIFICATION_LINK, lifetime: '24 hours' },
  { kind: 'password_reset', subject: 'Choose a new password', link: RESET_LINK, lifetime: '30 minutes' },
  { kind: 'password_reset_by_admin', subject: 'Choose a new password', link: RESET_LINK, lifetime: '30 minutes' },
  { kind: 'invitation', subject: 'Choose a password for your new account', link: RESET_LINK, lifetime: '7 days' },
  { kind: 'email_confirmed', subject: 'Your e-mail address is confirmed', link: RESET_LINK, lifetime: '30 minutes' }
]

const notices: Array<{ kind: NoticeKind, subject: string }> = [
  { kind: 'address_in_use', subject: 'You have an account already' },
  { kind: 'password_changed', subject: 'Your password was changed' },
  { kind: 'email_change_requested', subject: 'Another e-mail address was asked for' },
  { kind: 'email_changed', subject: 'Your e-mail address was changed' },
  { kind: 'account_deleted', subject: 'Your account was deleted' }
]

/** The mail of each kind for somebody of that name. */
function mailsFor (username: string): DueMail[] {
  return [
    ...links.map(({ kind }) => ({ kind, to: 'ada@example.com', username, token: TOKEN })),
    ...notices.map(({ kind }) => ({ kind, to: 'ada@example.com', username }))
  ]
}

const unescape = (html: string): string =>
  html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')

for (const { kind, subject, link, lifetime } of links) {
  t.test(`${kind} says whom it is for, and carries a link and how long it is good`, async (t) => {
    const mail = composeMail({ kind, to: 'ada@example.com', username: 'ada', token: TOKEN }, SITE)

    t.match(mail, { kind, to: 'ada@example.com', subject })
    const lines = mail.text.split('\n')
    t.equal(lines[2], 'This mail is about the account with the username "ada".')
    t.equal(lines.filter((line) => line.includes(TOKEN)).join('\n'), link, 'the link stands alone on its line')
    t.ok(lines.includes(`The link works once, within ${lifetime}.`))
    t.match(mail.text, /If (?:it was not you|you did not expect this|you did not make the account), /)
    t.match(mail.text, /This mail comes from https:\/\/id\.example\.com\n$/)
    t.equal(unescape(/<a href="([^"]*)">/.exec(mail.html)?.[1] ?? ''), link)
  })
}

t.test('the lifetime that a mail tells is that of its token', async (t) => {
  for (const { lifetimeMs, lifetime } of Object.values(MAIL_LINKS)) {
    const [count, unit] = lifetime.split(' ') as [string, 'minutes' | 'hours' | 'days']
    t.equal(lifetimeMs, Number(count) * { minutes: 60_000, hours: 3_600_000, days: 86_400_000 }[unit])
  }
})

for (const { kind, subject } of notices) {
  t.test(`${kind} says whom it is for and carries no link`, async (t) => {
    const mail = composeMail({ kind, to: 'ada@example.com', username: 'ada' }, SITE)

    t.match(mail, { kind, to: 'ada@example.com', subject })
    t.match(mail.text, /^Hello,\n\nThis mail is about the account with the username "ada"\.\n/)
    t.match(mail.text, /If it was not you, /)
    t.notMatch(mail.html, '<a ')
  })
}

t.test('the HTML part says the same as the text, loads nothing, and can be read aloud', async (t) => {
  for (const due of mailsFor('ada')) {
    const { subject, text, html } = composeMail(due, SITE)

    t.match(html, /^<!doctype html>\n<html lang="en">/)
    t.match(html, `<title>${subject}</title>`)
    t.match(html, `<h1 style="font-size: 1.25em">${subject}</h1>`)
    t.notMatch(html, /<(?:img|link|script|iframe|object|embed|form|base|meta http)|src=|url\(|@import/i)
    for (const paragraph of text.split('\n\n')) t.ok(unescape(html).includes(paragraph.trim()), paragraph)
    t.notMatch(html, /<a [^>]*>(?:here|click here|https?:[^<]*)<\/a>/i, 'a link has a name')
  }
})

t.test('a name that looks like a link is quoted, and greets nobody', async (t) => {
  for (const due of mailsFor('claim-your-refund.example.com')) {
    const { text, html } = composeMail(due, SITE)

    t.match(text, /^Hello,\n/)
    t.equal(text.split('claim-your-refund').length, 2)
    t.match(text, '"claim-your-refund.example.com"')
    t.match(html, '&quot;claim-your-refund.example.com&quot;')
  }
})

const HOSTILE = '<img src=x onerror=alert(1)>"\'&amp;\r\n\r\n.\r\nBcc: eve@example.com\u2028\u0000<a href=https://evil.example>'

t.test('a name can neither bring markup nor lines of its own', async (t) => {
  for (const due of mailsFor(HOSTILE)) {
    const { subject, text, html } = composeMail(due, SITE)
    const plain = composeMail({ ...due, username: 'ada' }, SITE)

    t.equal(subject, plain.subject)
    t.equal(text.split('\n').length, plain.text.split('\n').length)
    t.notMatch(text, /[\r\u2028\0]/)
    t.strictSame(html.match(/<[^>]*>/g), plain.html.match(/<[^>]*>/g), 'it has the tags that it has anyway')
    t.match(html, '&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;amp;')
  }
})
