import { linkTo, type MailConfig } from './config-mail.ts'
import { MAIL_LINKS, type DueMail, type LinkKind, type Mail } from './due-mail.ts'

interface Letter {
  subject: string
  happened: string
  whatToDo: string
  ifNotYou: string
}

/** The name of the link says where it leads, for those who hear it out of its context. */
type Letters = { [Kind in DueMail['kind']]: Kind extends LinkKind ? Letter & { link: string } : Letter }

const NOTHING_TO_DO = 'If it was you, there is nothing to do.'

const LETTERS: Letters = {
  email_verification: {
    subject: 'Confirm your e-mail address',
    happened: 'Somebody, probably you, gave this e-mail address for that account.',
    whatToDo: 'If the account is yours, open this link to confirm the address:',
    link: 'Confirm the address',
    ifNotYou: 'If it was not you, do nothing: the address stays unconfirmed. Somebody else knows the password of that account.'
  },
  email_change: {
    subject: 'Confirm your new e-mail address',
    happened: 'Somebody, probably you, asked to use this e-mail address for that account from now on.',
    whatToDo: 'If the account is yours, open this link to confirm the address:',
    link: 'Confirm the new address',
    ifNotYou: 'If it was not you, do nothing: the address is not used until it is confirmed.'
  },
  password_reset: {
    subject: 'Choose a new password',
    happened: 'Somebody, probably you, asked for a new password for your account.',
    whatToDo: 'To choose one, open this link. You will have to log in again everywhere.',
    link: 'Choose a new password',
    ifNotYou: 'If it was not you, do nothing: your password stays as it is.'
  },
  password_reset_by_admin: {
    subject: 'Choose a new password',
    happened: 'An administrator asks you to choose a new password for your account.',
    whatToDo: 'To choose one, open this link. You will have to log in again everywhere.',
    link: 'Choose a new password',
    ifNotYou: 'If you did not expect this, ask your administrator; your password stays as it is until you choose another one.'
  },
  invitation: {
    subject: 'Choose a password for your new account',
    happened: 'An administrator has made an account for you. You log in with the username above.',
    whatToDo: 'To choose a password, open this link:',
    link: 'Choose a password',
    ifNotYou: 'If you did not expect this, do nothing: nobody can log in to the account without a password.'
  },
  email_confirmed: {
    subject: 'Your e-mail address is confirmed',
    happened: 'This e-mail address belongs to that account now. Log in again if you are asked to.',
    whatToDo: 'If you did not make the account, somebody else knows its password. With this link you choose another one and make it yours:',
    link: 'Choose another password',
    ifNotYou: 'If it was you, there is nothing to do. You can ask for a new password later too, where you log in.'
  },
  address_in_use: {
    subject: 'You have an account already',
    happened: 'Somebody, probably you, tried to use this e-mail address for another account. It belongs to yours already.',
    whatToDo: 'Log in with the username above. If you do not know your password any more, ask for a new one where you log in.',
    ifNotYou: 'If it was not you, do nothing: nothing has changed.'
  },
  password_changed: {
    subject: 'Your password was changed',
    happened: 'The password of your account was changed, and it has to be used to log in again.',
    whatToDo: NOTHING_TO_DO,
    ifNotYou: 'If it was not you, ask for a new password where you log in, at once, and tell your administrator.'
  },
  email_change_requested: {
    subject: 'Another e-mail address was asked for',
    happened: 'Somebody, probably you, asked to use another e-mail address for your account. Until it is confirmed, this one stays.',
    whatToDo: NOTHING_TO_DO,
    ifNotYou: 'If it was not you, somebody knows your password: choose a new one at once, and tell your administrator.'
  },
  email_changed: {
    subject: 'Your e-mail address was changed',
    happened: 'Your account has another e-mail address now. This one gets no more mails about it.',
    whatToDo: NOTHING_TO_DO,
    ifNotYou: 'If it was not you, tell your administrator at once.'
  },
  account_deleted: {
    subject: 'Your account was deleted',
    happened: 'Your account was deleted with all that belonged to it.',
    whatToDo: NOTHING_TO_DO,
    ifNotYou: 'If it was not you, tell your administrator at once.'
  }
}

type Paragraph = string | { name: string, url: string }

/** Writes the mail as plain text and as HTML that loads nothing from elsewhere. */
export function composeMail (due: DueMail, site: { publicUrl: string, mail: MailConfig }): Mail {
  const { subject, happened, whatToDo, ifNotYou } = LETTERS[due.kind]
  const paragraphs: Paragraph[] = [
    'Hello,',
    `This mail is about the account with the username "${due.username}".`, // whoever signed up chose it, and it may look like a link
    happened,
    whatToDo,
    ...('token' in due ? linkOf(due, site.mail) : []),
    ifNotYou,
    `This mail comes from ${site.publicUrl}`
  ]
  return { kind: due.kind, to: due.to, subject, text: toText(paragraphs), html: toHtml(subject, paragraphs) }
}

function linkOf ({ kind, token }: { kind: LinkKind, token: string }, urls: MailConfig): Paragraph[] {
  const { page, lifetime } = MAIL_LINKS[kind]
  return [{ name: LETTERS[kind].link, url: linkTo(urls[page], token) }, `The link works once, within ${lifetime}.`]
}

const LINE_ENDS = /[\p{Cc}\u2028\u2029]+/gu

function toText (paragraphs: Paragraph[]): string {
  return paragraphs.map((paragraph) => `${(typeof paragraph === 'string' ? paragraph : paragraph.url).replace(LINE_ENDS, ' ')}\n`).join('\n')
}

function toHtml (title: string, paragraphs: Paragraph[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
</head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em; overflow-wrap: anywhere">
<h1 style="font-size: 1.25em">${escape(title)}</h1>
${paragraphs.map(toHtmlParagraph).join('\n')}
</body>
</html>
`
}

function toHtmlParagraph (paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return `<p>${escape(paragraph)}</p>`
  const url = escape(paragraph.url)
  return `<p><a href="${url}">${escape(paragraph.name)}</a></p>\n<p>If that does not open, copy this into your browser: ${url}</p>`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape (text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}
