import { once } from 'node:events'
import { createServer, request as forward, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Test } from 'tap'

export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
export const FLAGS = ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--no-first-run']
export const DESKTOP = { width: 1280, height: 900 }
export const PHONE = { width: 390, height: 844 }

/** What a visitor should never notice. */
export interface Problems { console: string[], blocked: string[], failed: string[], foreign: string[] }

async function listen (server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A proxy that passes on what is below `prefix`, without it. */
export async function putBehind (t: Test, prefix: string, target: string): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming
    if (!url.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404).end()
      return
    }
    const options = { method: method as string, headers, agent: false as const }
    incoming.pipe(forward(target + url.slice(prefix.length), options, (answer) => {
      outgoing.writeHead(answer.statusCode as number, answer.headers)
      answer.pipe(outgoing)
    }))
  })
  t.teardown(() => { proxy.close() })
  return `${await listen(proxy)}${prefix}`
}

/** A page of a browser of its own, and what goes wrong on it and by its doing. */
export async function openPage (t: Test, browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<{ page: Page, problems: Problems, urls: string[] }> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options })
  t.teardown(async () => { await context.close() })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const problems: Problems = { console: [], blocked: [], failed: [], foreign: [] }
  const urls: string[] = []
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) problems.console.push(message.text()) })
  page.on('pageerror', (error) => { problems.console.push(error.message) })
  page.on('requestfailed', (request) => { problems.blocked.push(request.url()) })
  page.on('response', (response) => { if (response.status() >= 400) problems.failed.push(`${response.status()} ${response.url()}`) })
  page.on('request', (request) => {
    urls.push(request.url())
    if (!request.url().startsWith('data:') && new URL(request.url()).origin !== origin) problems.foreign.push(request.url())
  })
  return { page, problems, urls }
}
