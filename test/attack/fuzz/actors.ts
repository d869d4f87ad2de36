import { ADA } from '../target.ts'
import type { FuzzedRequest } from './requests.ts'
import { createSupplies } from './supplies.ts'
import type { Wire, WireAnswer } from './wire.ts'

interface Actor {
  home: [string, string]
  username: string
  isAdmin: boolean
  scope?: string
  id: string
  sessionId: string
  accessToken: string
  refreshToken: string
}

export interface Actors {
  /** Makes those who can't log in any more, as may happen when anything is tried, and logs the others in. */
  repair (): Promise<void>
  /** The request as it is sent, from one of a million networks: the throttle must not hold up what is tried next. */
  prepare (request: FuzzedRequest): FuzzedRequest
  /** Remembers what a request that was sent has changed. */
  learn (sent: FuzzedRequest, answer: WireAnswer): void
  /** What must not be in any answer. */
  secrets (): string[]
}

const FORM_TYPE: [string, string] = ['content-type', 'application/x-www-form-urlencoded']
// The home of each is known to the service for him, and not among the networks from which the requests come.
const homeOf = (number: number): [string, string] => ['x-forwarded-for', `172.16.${number >> 8 & 255}.${number & 255}`]

export async function createActors (wire: Wire, makeUser: (username: string, isAdmin: boolean) => Promise<void>): Promise<Actors> {
  let made = 0
  let sent = 0
  const ada = newActor(false)
  const admin = newActor(true)
  const narrow = { ...newActor(false), scope: 'account' }
  // Ada's too, for her to end it.
  const spare = newActor(false)
  const supplies = createSupplies(async (method, target, body = '') => await wire.send({ method, target, headers: [['authorization', `Bearer ${admin.accessToken}`], ['content-type', 'application/json'], admin.home], body }))

  function newActor (isAdmin: boolean): Actor {
    return { home: homeOf(0), username: '', isAdmin, id: '', sessionId: '', accessToken: 'none', refreshToken: 'none' }
  }

  async function logIn (actor: Actor): Promise<boolean> {
    const form = new URLSearchParams({ ...ADA, username: actor.username, ...actor.scope !== undefined && { scope: actor.scope } })
    const { status, body } = await wire.send({ method: 'POST', target: '/token', headers: [FORM_TYPE, actor.home], body: form.toString() })
    if (status !== 200) return false
    const tokens = JSON.parse(body) as { access_token: string, refresh_token: string }
    actor.accessToken = tokens.access_token
    actor.refreshToken = tokens.refresh_token
    const { sub, sid } = JSON.parse(Buffer.from(actor.accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sub: string, sid: string }
    actor.id = sub
    actor.sessionId = sid
    return true
  }

  async function isLive ({ accessToken, home }: Actor): Promise<boolean> {
    const { status } = await wire.send({ method: 'GET', target: '/verify', headers: [['authorization', `Bearer ${accessToken}`], home], body: '' })
    return status === 204
  }

  async function makeLive (actor: Actor): Promise<void> {
    if (await isLive(actor) || (actor.username !== '' && await logIn(actor))) return
    actor.username = `${actor.isAdmin ? 'admin' : 'ada'}${made++}`
    actor.home = homeOf(made)
    await makeUser(actor.username, actor.isAdmin)
    if (!await logIn(actor)) throw new Error(`${actor.username} can not log in`)
  }

  async function repair (): Promise<void> {
    await makeLive(ada)
    await makeLive(admin)
    for (const more of [narrow, spare]) {
      more.username = ada.username
      await makeLive(more)
    }
    await supplies.restock()
  }

  /** Nobody knows the new one. */
  function forgetPassword (authorization: string): void {
    for (const actor of [ada, admin]) {
      const tokens = actor === ada ? [ada.accessToken, narrow.accessToken] : [admin.accessToken]
      if (tokens.some((token) => authorization.includes(token))) Object.assign(actor, { username: '', accessToken: 'none' })
    }
  }

  const meaning = (): Record<string, string> => ({
    XADATOKENX: ada.accessToken,
    XADMINTOKENX: admin.accessToken,
    XNARROWTOKENX: narrow.accessToken,
    XREFRESHTOKENX: ada.refreshToken,
    XSESSIONIDX: spare.sessionId,
    XADAIDX: ada.id,
    XADMINIDX: admin.id,
    XPASSWORDX: ADA.password,
    XADANAMEX: ada.username,
    XFRESHX: String(sent),
    ...supplies.words()
  })
  const fill = (text: string): string => {
    const words = meaning()
    return text.replace(/X[A-Z]+X/g, (word) => words[word] ?? word)
  }

  await repair()
  return {
    repair,

    prepare ({ target, headers, body, ...request }) {
      sent++
      const network: [string, string] = ['x-forwarded-for', `10.${sent >> 12 & 255}.${sent >> 4 & 255}.${sent & 15}`]
      return { ...request, target: fill(target), headers: [...headers.map(([name, value]): [string, string] => [name, fill(value)]), network], body: fill(body) }
    },

    learn ({ route, headers }, { status, body }) {
      if (route === 'PUT /users/me/password' && status === 204) forgetPassword(JSON.stringify(headers))
      if (status !== 200 || !body.startsWith('{"access_token"')) return
      const { refresh_token: refreshToken } = JSON.parse(body) as { refresh_token: string }
      ada.refreshToken = refreshToken
    },

    secrets: () => ['CANARY', '$argon2', 'PRIVATE KEY', ada.accessToken, admin.accessToken, narrow.accessToken]
  }
}
