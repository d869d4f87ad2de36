import { existsSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, canRun, logIn, requestToken } from '../helper.ts'
import { buildIssuer } from '../listen.ts'
import { startMailServer } from '../mail-server.ts'
import { addUser, mailToken, NEW_PASSWORD, PASSWORD, requestReset, requestVerification, reset } from '../mailed-links.ts'
import { goodFor } from '../routes/users-me/requests.ts'
import { CHROMIUM, DESKTOP, FLAGS, openPage, PHONE, putBehind } from './browser.ts'

// A desktop at 400 %, WCAG 2.2 section 1.4.10.
const ZOOMED = { width: 320, height: 256 }

async function openLink (t: Test, browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const { page, problems, urls } = await openPage(t, browser, new URL(url).origin, options)
  await page.goto(url)
  return { page, problems, urls }
}

const NO_PROBLEMS = { console: [], blocked: [], failed: [], foreign: [] }
/** Where a server could see the token: a fragment is not sent. */
const sentUrlsWith = (urls: string[], token: string): string[] => urls.filter((url) => url.split('#')[0]?.includes(token))

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 })
const button = (page: Page, name: string) => page.getByRole('button', { name })
const focused = async (page: Page): Promise<string> => await page.locator(':focus').innerText()

function linkIn ({ text = '' }: { text?: string | undefined }): string {
  return /^https?:.*#token=.*$/m.exec(text)?.[0] ?? ''
}

/** The whole service where its links lead, with a mail server, and a browser that is closed in the end. */
async function prepare (t: Test): Promise<{ app: FastifyInstance, issuer: string, nextLink: () => Promise<string> }> {
  const mailServer = await startMailServer(t)
  const { app, issuer } = await buildIssuer(t, { SMTP_URL: mailServer.url })
  return { app, issuer, nextLink: async () => linkIn(await mailServer.next()) }
}

t.test('The pages of mailed links in a browser', async (t) => {
  if (!canRun(t, 'Chromium', existsSync(CHROMIUM))) return
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  t.teardown(async () => { await browser.close() })

  t.test('The link of the mail leads to a new password, with which one logs in; every older session has ended', async (t) => {
    const { app, issuer, nextLink } = await prepare(t)
    const { email, login } = await addUser(app)
    const sessions = [await logIn(app, login), await logIn(app, login)]
    await requestReset(app, email)
    const link = await nextLink()
    const token = link.split('#token=')[1] as string

    const { page, problems, urls } = await openLink(t, browser, link)
    await heading(page, 'Choose a new password').waitFor()
    t.equal(page.url(), `${issuer}/password-reset`)
    t.equal(await page.evaluate('history.length'), 2, 'only the empty page was before')
    const field = page.getByLabel('New password')
    t.equal(await field.getAttribute('autocomplete'), 'new-password')
    await field.fill(NEW_PASSWORD)
    await button(page, 'Set the password').click()
    await heading(page, 'Your password is set').waitFor()

    t.strictSame(problems, NO_PROBLEMS)
    t.strictSame(sentUrlsWith(urls, token), [])
    t.equal(await focused(page), 'Your password is set')
    t.equal(await page.title(), 'Your password is set · Latchkey')
    t.strictSame(await Promise.all(sessions.map(async (tokens) => await goodFor(app, tokens))), [[], []])
    t.equal((await requestToken(app, login)).statusCode, 400)
    t.equal((await requestToken(app, { ...login, password: NEW_PASSWORD })).statusCode, 200)
  })

  t.test('A weak password is explained, and the next one may be set with the same link', async (t) => {
    const { app, issuer } = await prepare(t)
    const { login } = await addUser(app)
    const { page } = await openLink(t, browser, `${issuer}/password-reset#token=${await mailToken(app, 'password_reset')}`)
    const field = page.getByLabel('New password')

    await field.fill('short')
    await field.press('Enter')
    const problem = page.getByRole('alert').filter({ hasText: 'Use at least 15 characters in the password.' })
    await problem.waitFor()

    t.strictSame(await field.evaluate((input) => [input.getAttribute('aria-invalid'), input.matches(':focus'), input.getAttribute('aria-describedby')]), ['true', true, 'password-problem password-hint'])
    await button(page, 'Show the password').click()
    t.strictSame([await field.getAttribute('type'), await button(page, 'Show the password').getAttribute('aria-pressed')], ['text', 'true'])
    await button(page, 'Show the password').click()
    t.strictSame([await field.getAttribute('type'), await button(page, 'Show the password').getAttribute('aria-pressed')], ['password', 'false'])
    await field.fill(NEW_PASSWORD)
    await field.press('Enter')
    await heading(page, 'Your password is set').waitFor()
    t.equal((await requestToken(app, { ...login, password: NEW_PASSWORD })).statusCode, 200)
  })

  t.test('Who has a void link asks for a new one on the same page', async (t) => {
    const { app, issuer, nextLink } = await prepare(t)
    const { email } = await addUser(app)
    const token = await mailToken(app, 'password_reset')
    await reset(app, token, PASSWORD)
    t.equal(await nextLink(), '', 'the notice has none')
    const { page } = await openLink(t, browser, `${issuer}/password-reset#token=${token}`)

    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await button(page, 'Set the password').click()
    await heading(page, 'This link is not valid any more').waitFor()
    t.equal(await focused(page), 'This link is not valid any more')
    const field = page.getByLabel('Your e-mail address')
    await field.fill('ada@example')
    await button(page, 'Send a new link').click()
    await page.getByRole('alert').filter({ hasText: 'Write a domain name such as example.com' }).waitFor()
    await field.fill(email)
    await button(page, 'Send a new link').click()
    await heading(page, 'Look into your mail').waitFor()

    await page.goto(await nextLink())
    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await button(page, 'Set the password').click()
    await heading(page, 'Your password is set').waitFor()
  })

  t.test('An address is confirmed by a button and not by opening the page', async (t) => {
    const { app, issuer, nextLink } = await prepare(t)
    const { email } = await addUser(app)
    await requestVerification(app, email)
    const link = await nextLink()
    const isProven = async (): Promise<boolean> => (await app.users.find('ada'))?.emailVerifiedAt !== null

    const { page, problems, urls } = await openLink(t, browser, link)
    await heading(page, 'Confirm your e-mail address').waitFor()
    await page.waitForLoadState('networkidle')
    t.equal(await isProven(), false)
    t.equal(page.url(), `${issuer}/email-verification`)
    await button(page, 'Confirm the address').click()
    await heading(page, 'Your address is confirmed').waitFor()

    t.equal(await isProven(), true)
    t.strictSame(problems, NO_PROBLEMS)
    t.strictSame(sentUrlsWith(urls, link.split('#token=')[1] as string), [])
    await page.goto(link)
    await heading(page, 'Confirm your e-mail address').waitFor()
    await button(page, 'Confirm the address').click()
    await heading(page, 'This link is not valid any more').waitFor()
  })

  t.test('While there is no answer the page says so, and goes on when there is one', async (t) => {
    const { app, issuer } = await prepare(t)
    await addUser(app)
    const { page } = await openLink(t, browser, `${issuer}/email-verification#token=${await mailToken(app, 'email_verification')}`)
    const problem = page.getByRole('alert')

    await page.route('**/email-verification', async (route) => { await route.abort() }, { times: 1 })
    await button(page, 'Confirm the address').click()
    await problem.filter({ hasText: 'That did not work.' }).waitFor()
    await page.route('**/email-verification', async (route) => { await route.fulfill({ status: 503, json: { code: 'temporarily_unavailable', message: 'x' } }) }, { times: 1 })
    await button(page, 'Confirm the address').click()
    await problem.filter({ hasText: 'too much going on' }).waitFor()
    await button(page, 'Confirm the address').click()

    await heading(page, 'Your address is confirmed').waitFor()
  })

  for (const slash of ['', '/']) {
    t.test(`Behind a path prefix the page finds its files and the API${slash && ', also with a slash at the end of its URL'}`, async (t) => {
      const app = await build(t, { PUBLIC_URL: 'https://login.example.com/auth' })
      const { login } = await addUser(app)
      const base = await putBehind(t, '/auth', await app.listen({ host: '127.0.0.1', port: 0 }))
      const { page, problems } = await openLink(t, browser, `${base}/password-reset${slash}?from=mail#token=${await mailToken(app, 'password_reset')}`)

      await page.getByLabel('New password').fill(NEW_PASSWORD)
      await button(page, 'Set the password').click()
      await heading(page, 'Your password is set').waitFor()

      t.equal(page.url(), `${base}/password-reset${slash}?from=mail`)
      t.strictSame(problems, NO_PROBLEMS)
      t.equal((await requestToken(app, { ...login, password: NEW_PASSWORD })).statusCode, 200)
    })
  }

  for (const { name, viewport, colorScheme } of [
    { name: 'a desktop', viewport: DESKTOP, colorScheme: 'dark' },
    { name: 'a phone', viewport: PHONE, colorScheme: 'light' },
    { name: 'a phone in the dark', viewport: PHONE, colorScheme: 'dark' },
    { name: 'a desktop that is zoomed in', viewport: ZOOMED, colorScheme: 'light' }
  ] as const) {
    t.test(`On ${name} all of the page can be reached and used without scrolling sideways`, async (t) => {
      const { issuer } = await prepare(t)

      for (const path of ['password-reset#token=x', 'password-reset', 'email-verification#token=x', 'email-verification']) {
        const { page, problems } = await openLink(t, browser, `${issuer}/${path}`, { viewport, colorScheme })
        await page.locator('h1:visible').waitFor()

        t.ok(await page.locator('html').evaluate((html) => html.scrollWidth <= html.clientWidth), path)
        for (const control of await page.locator(':is(input, button):visible').all()) {
          const box = await control.boundingBox()
          t.ok(box !== null && box.height >= 44 && box.x >= 0 && box.x + box.width <= viewport.width, 'is large enough to be touched')
        }
        t.strictSame(problems, NO_PROBLEMS)
      }
    })
  }
})
