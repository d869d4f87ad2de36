import { ADA } from '../target.ts'
import type { FuzzedRequest } from './requests.ts'
import type { Wire, WireAnswer } from './wire.ts'

interface Actor {
  home: [string, string]
  username: string
  isAdmin: boolean
  scope?: string
  id: string
  accessToken: string
  refreshToken: string
}

export interface Actors {
  /** Makes those who can't log in any more, as may happen when anything is tried, and logs the others in. */
  repair (): Promise<void>
  /** The request as it is sent, from one of a million networks: the throttle must not hold up what is tried next. */
  prepare (request: FuzzedRequest): FuzzedRequest
  /** Remembers what the answer changed. */
  learn (answer: WireAnswer): void
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
  const narrow = { ...newActor(false), username: ada.username, scope: 'account' }

  function newActor (isAdmin: boolean): Actor {
    return { home: homeOf(0), username: '', isAdmin, id: '', accessToken: 'none', refreshToken: 'none' }
  }

  async function logIn (actor: Actor): Promise<boolean> {
    const form = new URLSearchParams({ ...ADA, username: actor.username, ...actor.scope !== undefined && { scope: actor.scope } })
    const { status, body } = await wire.send({ method: 'POST', target: '/token', headers: [FORM_TYPE, actor.home], body: form.toString() })
    if (status !== 200) return false
    const tokens = JSON.parse(body) as { access_token: string, refresh_token: string }
    actor.accessToken = tokens.access_token
    actor.refreshToken = tokens.refresh_token
    actor.id = (JSON.parse(Buffer.from(actor.accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }).sub
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
    narrow.username = ada.username
    await makeLive(narrow)
  }

  const meaning = (): Record<string, string> => ({
    XADATOKENX: ada.accessToken,
    XADMINTOKENX: admin.accessToken,
    XNARROWTOKENX: narrow.accessToken,
    XREFRESHTOKENX: ada.refreshToken,
    XADAIDX: ada.id,
    XADMINIDX: admin.id,
    XPASSWORDX: ADA.password,
    XADANAMEX: ada.username
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

    learn ({ status, body }) {
      if (status !== 200 || !body.startsWith('{"access_token"')) return
      const { refresh_token: refreshToken } = JSON.parse(body) as { refresh_token: string }
      ada.refreshToken = refreshToken
    },

    secrets: () => ['CANARY', '$argon2', 'PRIVATE KEY', ada.accessToken, admin.accessToken, narrow.accessToken]
  }
}
