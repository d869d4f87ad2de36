import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import { build, canRun } from '../helper.ts'
import { CHROMIUM, DESKTOP, FLAGS, openPage, PHONE, putBehind } from './browser.ts'

const dialog = (page: Page) => page.locator('.dialog-ux')
const profile = (page: Page) => page.locator('#operations-Users-readOwnProfile')

async function logIn (page: Page): Promise<void> {
  await page.locator('.scheme-container .authorize').click()
  await dialog(page).getByLabel('username').fill('johndoe')
  await dialog(page).getByLabel('password:').fill('secret')
  await dialog(page).getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  await dialog(page).getByText('Logout').waitFor()
  await dialog(page).locator('.btn-done').click()
}

async function logOut (page: Page): Promise<void> {
  await page.locator('.scheme-container .authorize').click()
  await dialog(page).getByText('Logout').click()
  await dialog(page).getByLabel('username').waitFor()
  await dialog(page).locator('.btn-done').click()
}

/** Executes GET /users/me and gives the status and the body that the page shows. */
async function readProfile (page: Page): Promise<{ status: string, body: string }> {
  const answered = page.waitForResponse(/\/users\/me$/)
  await profile(page).locator('.execute').click()
  const status = String((await answered).status())
  const shown = profile(page).locator('.live-responses-table .response').filter({ hasText: status })
  await shown.waitFor()
  return { status, body: await shown.locator('.highlight-code code').first().innerText() }
}

t.test('The documentation page in a browser', async (t) => {
  if (!canRun(t, 'Chromium', existsSync(CHROMIUM))) return
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
  t.teardown(async () => { await browser.close() })

  for (const { name, prefix, start } of [
    { name: 'from the start page', prefix: '', start: '/' },
    { name: 'from its URL with a slash', prefix: '', start: '/docs/' },
    { name: 'behind a path prefix', prefix: '/auth', start: '/' }
  ]) {
    t.test(`lets a newcomer log in, see his profile and log out again, ${name}`, async (t) => {
      const app = await build(t, { PUBLIC_URL: `https://login.example.com${prefix}` })
      const address = await app.listen({ host: '127.0.0.1', port: 0 })
      const base = prefix === '' ? address : await putBehind(t, prefix, address)
      const { page, problems } = await openPage(t, browser, new URL(base).origin)

      const opened = await page.goto(base + start)
      await logIn(page)
      await profile(page).locator('.opblock-summary-control').click()
      const known = await readProfile(page)
      const noticed = structuredClone(problems)
      await logOut(page)
      const unknown = await readProfile(page)

      t.equal(page.url().split('#')[0]?.replace(/\/$/, ''), `${base}/docs`)
      t.equal(known.status, '200')
      t.match(JSON.parse(known.body), { username: 'johndoe', full_name: 'John Doe' })
      t.strictSame(noticed, { console: [], blocked: [], failed: [], foreign: [] })
      t.equal(unknown.status, '401')
      const policy = opened?.headers()['content-security-policy']
      t.match(policy, "default-src 'none'")
      t.notMatch(policy, /unsafe|upgrade-insecure-requests|https?:|\*/)
    })
  }

  t.test('fills the log-in form in so that it works as it is', async (t) => {
    const app = await build(t)
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const { page, problems } = await openPage(t, browser, address)
    await page.goto(`${address}/docs`)
    const operation = page.locator('#operations-OAuth-issueToken')

    await operation.locator('.opblock-summary-control').click()
    const answered = page.waitForResponse(/\/token$/)
    await operation.locator('.execute').click()

    t.equal((await answered).status(), 200)
    t.match(await (await answered).json(), { token_type: 'bearer', scope: 'profile account' })
    t.strictSame(problems, { console: [], blocked: [], failed: [], foreign: [] })
  })

  for (const { name, viewport } of [{ name: 'desktop', viewport: DESKTOP }, { name: 'phone', viewport: PHONE }]) {
    t.test(`shows on the first screen of a ${name} what to do, and asks for the username and the password only`, async (t) => {
      const app = await build(t)
      const address = await app.listen({ host: '127.0.0.1', port: 0 })
      const { page } = await openPage(t, browser, address, { viewport, hasTouch: viewport === PHONE, isMobile: viewport === PHONE })
      await page.goto(address)
      const isOnScreen = async (text: string): Promise<boolean> => {
        const box = await page.getByText(text, { exact: true }).first().boundingBox()
        return box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= viewport.width && box.y + box.height <= viewport.height
      }

      await profile(page).waitFor()

      t.equal(await page.title(), 'Latchkey')
      t.equal(await page.locator('.scheme-container .authorize').evaluate((button) => button.getBoundingClientRect().top < 64), true)
      t.strictSame(await Promise.all(['Authorize', 'Try it here', 'johndoe', 'GET /users/me'].map(isOnScreen)), [true, true, true, true])
      t.equal(await page.locator('html').evaluate((html) => html.scrollWidth), viewport.width)

      await page.locator('.scheme-container .authorize').click()
      await dialog(page).locator('.modal-ux').waitFor()

      const fields = dialog(page).locator('input:is([type=text], [type=password]):visible')
      t.strictSame(await fields.evaluateAll((inputs) => inputs.map((input) => input.getAttribute('data-name'))), ['username', 'password'])
      t.equal(await dialog(page).locator('.modal-ux-content').evaluate((content) => content.scrollHeight <= content.clientHeight), true)
    })
  }
})
