import t from 'tap'
import { loadConfig } from '../../lib/config.ts'
import { linkTo } from '../../lib/config-mail.ts'
import { problemsOf } from '../helper.ts'

const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://id.example.com/login', TRUST_PROXY: 'none' }

t.test('without settings no mail can be sent, and links lead to pages of the service', async (t) => {
  t.strictSame(loadConfig({}).mail, {
    smtpUrl: undefined,
    from: 'Latchkey <no-reply@localhost>',
    passwordResetUrl: 'http://localhost:8000/password-reset',
    emailVerificationUrl: 'http://localhost:8000/email-verification'
  })
  t.strictSame(loadConfig(production).mail, {
    smtpUrl: undefined,
    from: 'Latchkey <no-reply@id.example.com>',
    passwordResetUrl: 'https://id.example.com/login/password-reset',
    emailVerificationUrl: 'https://id.example.com/login/email-verification'
  })
})

t.test('all settings are taken as they are', async (t) => {
  t.strictSame(loadConfig({
    SMTP_URL: 'smtps://login:p%40ss@mail.example.com:465?tls.rejectUnauthorized=false',
    MAIL_FROM: 'Example <login@example.com>',
    PASSWORD_RESET_URL: 'https://app.example.com/reset?a=b',
    EMAIL_VERIFICATION_URL: 'https://app.example.com/#/verify/{token}'
  }).mail, {
    smtpUrl: 'smtps://login:p%40ss@mail.example.com:465?tls.rejectUnauthorized=false',
    from: 'Example <login@example.com>',
    passwordResetUrl: 'https://app.example.com/reset?a=b',
    emailVerificationUrl: 'https://app.example.com/#/verify/{token}'
  })
})

t.test('a wrong PUBLIC_URL is the only problem that it makes', async (t) => {
  t.strictSame(problemsOf({ PUBLIC_URL: 'id.example.com' }), ['PUBLIC_URL must be an http or https URL without credentials, query or fragment'])
})

t.test('SMTP_URL', async (t) => {
  for (const value of ['smtp://localhost', 'smtp://127.0.0.1:25', 'smtps://mail.example.com', 'smtp://a:b@mail.example.com:587?requireTLS=true']) {
    t.test(`${value} is taken`, async (t) => {
      t.strictSame(problemsOf({ SMTP_URL: value }), [])
    })
  }

  for (const value of ['mail.example.com', 'mail.example.com:25', 'http://mail.example.com', 'smtp:', 'smtp://', 'smtp:mail', 'direct://mail.example.com', 'xsmtp://mail', 'smtpss://mail']) {
    t.test(`${value} is refused`, async (t) => {
      t.strictSame(problemsOf({ SMTP_URL: value }), ['SMTP_URL must be an smtp:// or smtps:// URL'])
    })
  }

  t.test('is required where people can sign up in production, and nowhere else', async (t) => {
    t.strictSame(problemsOf({ ...production, REGISTRATION: 'open' }), ['SMTP_URL is required in production with REGISTRATION=open'])
    t.strictSame(problemsOf({ ...production, REGISTRATION: 'open', SMTP_URL: 'smtp://localhost' }), [])
    t.strictSame(problemsOf({ ...production, REGISTRATION: 'closed' }), [])
    t.strictSame(problemsOf({ REGISTRATION: 'open' }), [])
  })
})

const clear = [
  { url: 'smtp://a:b@mail.example.com:587', smtpUrl: 'smtp://a:b@mail.example.com:587?requireTLS=true' },
  { url: 'smtp://a:p%40ss@mail.example.com/?tls.rejectUnauthorized=false', smtpUrl: 'smtp://a:p%40ss@mail.example.com/?tls.rejectUnauthorized=false&requireTLS=true' },
  { url: 'SMTP://10.0.0.1', smtpUrl: 'smtp://10.0.0.1?requireTLS=true' },
  { url: 'smtp://localhost.example.com#x', smtpUrl: 'smtp://localhost.example.com?requireTLS=true#x' },
  ...['smtps://mail.example.com', 'smtp://localhost', 'smtp://127.0.0.1:25', 'smtp://[::1]:25', 'smtp://mail?requireTLS=false', 'smtp://mail?ignoreTLS=true', 'smtp://mail?requireTLS=true']
    .map((url) => ({ url, smtpUrl: url }))
]
for (const { url, smtpUrl } of clear) {
  t.test(`${url} is taken as ${smtpUrl} in production, and as it is elsewhere`, async (t) => {
    t.equal(loadConfig({ ...production, SMTP_URL: url }).mail.smtpUrl, smtpUrl)
    t.equal(loadConfig({ SMTP_URL: url }).mail.smtpUrl, url)
  })
}

t.test('MAIL_FROM', async (t) => {
  for (const value of ['a@b', 'login@example.com', '<login@example.com>', 'Latchkey <login@example.com>', '"Login, please" <login@example.com>']) {
    t.test(`${value} is taken`, async (t) => {
      t.equal(loadConfig({ MAIL_FROM: value }).mail.from, value)
    })
  }

  for (const value of ['Latchkey', 'login@', '@example.com', 'Latchkey <@example.com>', 'login@exa mple.com', 'a@example.com>\r\nBcc: <b@example.com>', 'a\n<a@example.com>', 'a@example.com\n']) {
    t.test(`${JSON.stringify(value)} is refused`, async (t) => {
      t.strictSame(problemsOf({ MAIL_FROM: value }), ['MAIL_FROM must be an address such as Latchkey <no-reply@example.com>'])
    })
  }

  for (const value of ['@b', `${'a'.repeat(320)}@b`]) {
    t.test(`${value.length} characters are refused`, async (t) => {
      t.strictSame(problemsOf({ MAIL_FROM: value }), ['MAIL_FROM has a wrong length'])
    })
  }
})

for (const name of ['PASSWORD_RESET_URL', 'EMAIL_VERIFICATION_URL']) {
  t.test(name, async (t) => {
    for (const value of ['app.example.com', '/reset', 'javascript:alert(1)', 'mailto:a@example.com', 'file:///reset', 'app://reset']) {
      t.test(`${value} is refused`, async (t) => {
        t.strictSame(problemsOf({ [name]: value }), [`${name} must be an http or https URL`])
      })
    }

    for (const value of ['https://app.example.com/#', 'https://app.example.com/#/reset', 'https://app.example.com/reset#top']) {
      t.test(`${value} has a fragment already`, async (t) => {
        t.strictSame(problemsOf({ [name]: value }), [`${name} must have no fragment, or say {token} where the token belongs`])
      })
    }

    t.test('is https in production, except on the own machine', async (t) => {
      t.strictSame(problemsOf({ ...production, [name]: 'http://app.example.com/reset' }), [`${name} must begin with https:// in production`])
      t.strictSame(problemsOf({ ...production, [name]: 'https://app.example.com/reset' }), [])
      t.strictSame(problemsOf({ ...production, [name]: 'http://localhost:3000/reset' }), [])
      t.strictSame(problemsOf({ [name]: 'http://app.example.com/reset' }), [])
    })
  })
}

t.test('linkTo puts the token where no server sees it, or where the URL says', async (t) => {
  t.equal(linkTo('https://app.example.com/reset', 'T'), 'https://app.example.com/reset#token=T')
  t.equal(linkTo('https://app.example.com/reset?a=b', 'T'), 'https://app.example.com/reset?a=b#token=T')
  t.equal(linkTo('https://app.example.com/#/reset/{token}', 'T'), 'https://app.example.com/#/reset/T')
  t.equal(linkTo('https://app.example.com/{token}?again={token}', 'T'), 'https://app.example.com/T?again=T')
})
