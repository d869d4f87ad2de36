import type { Request } from 'autocannon'
import { formatCursor } from '../../lib/cursor.ts'
import { inTurn, load, openLoad, type Bench } from '../load.ts'
import { startService } from '../processes.ts'
import { ratioFigure, type Figure } from '../report.ts'
import { getRequest, loginRequests, profileRequests, sendOnce } from '../requests.ts'
import { namesOf } from '../seed.ts'
import { createWorkspace, type Workspace } from '../workspace.ts'

const FEW = { users: 1000, sample: 1000 }
const MANY = { users: 1_000_000, sample: 5000 }
// As many tokens with both, for these are remembered and users are not.
const TOKENS = 500
const GOAL = 0.9
const LOGIN_CONNECTIONS = 10
const READ_CONNECTIONS = 20
const PAGE = 20
const WRITES_PER_SECOND = 50
// A read is quick, so that its figure is steady after half the time.
const READ_SHARE = 0.5
// Until every token was checked for the first time, which costs more than all the rest.
const WARM_UP_SECONDS = 2

type RequestsFor = (workspace: Workspace) => Request[]

const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9']

const readById: RequestsFor = ({ users, adminToken }) => users.map(({ id }) => getRequest(`/users/${id}`, adminToken))

const pageAt = (placeOf: (count: number) => number): RequestsFor => ({ userCount, adminToken }) => {
  const { username } = namesOf(placeOf(userCount), userCount)
  return [getRequest(`/users?limit=${PAGE}&cursor=${formatCursor(['username', username])}`, adminToken)]
}

const search = (beginning: string): RequestsFor => ({ adminToken }) =>
  DIGITS.map((digit) => getRequest(`/users?limit=${PAGE}&q=${beginning}${digit}`, adminToken))

const READS: Readonly<Record<string, RequestsFor>> = {
  'GET /users/{id}': readById,
  'GET /users, first page': pageAt(() => 0),
  'GET /users, middle page': pageAt((count) => count / 2),
  'GET /users, last page': pageAt((count) => count - PAGE),
  'GET /users?q, username': search('person-'),
  'GET /users?q, e-mail address': search('mail-')
}

/** The same with a million users and with a thousand; in the database of a million most pages are on the disk only. */
export async function measureMillion ({ rounds, seconds }: Bench): Promise<Figure[]> {
  const [few, many] = [await createWorkspace(FEW), await createWorkspace(MANY)]
  const [fewServer, manyServer] = [await startService(few), await startService(many)]
  const compare = async (name: string, pace: number, measure: (url: string, workspace: Workspace, seconds: number) => Promise<number>): Promise<Figure> => {
    const onFew = (seconds: number) => async () => await measure(fewServer.url, few, seconds)
    const onMany = (seconds: number) => async () => await measure(manyServer.url, many, seconds)
    await inTurn(1, onFew(WARM_UP_SECONDS), onMany(WARM_UP_SECONDS))
    return ratioFigure(`${name}: 1,000,000 users : 1,000`, GOAL, await inTurn(rounds, onFew(pace), onMany(pace)))
  }

  const logIn = async (url: string, workspace: Workspace, seconds: number): Promise<number> =>
    await load({ url, seconds, connections: LOGIN_CONNECTIONS, requests: loginRequests(workspace) })
  const figures = [
    await compare('POST /token (password)', seconds, logIn),
    await compare('GET /users/me', seconds * READ_SHARE, readProfiles),
    await compare(`GET /users/me beside ${WRITES_PER_SECOND} writes/s`, seconds * READ_SHARE, readProfilesBesideWrites)
  ]
  for (const [name, requestsFor] of Object.entries(READS)) {
    await checkPages(fewServer.url, requestsFor(few))
    await checkPages(manyServer.url, requestsFor(many))
    figures.push(await compare(name, seconds * READ_SHARE, async (url, workspace, seconds) => await load({ url, seconds, connections: READ_CONNECTIONS, requests: requestsFor(workspace) })))
  }
  await Promise.all([fewServer.stop(), manyServer.stop()])
  few.remove()
  many.remove()
  return figures
}

async function readProfiles (url: string, workspace: Workspace, seconds: number): Promise<number> {
  return await load({ url, seconds, connections: READ_CONNECTIONS, requests: profileRequests(workspace).slice(0, TOKENS) })
}

/** Each write makes the service look for what has changed, and empties SQLite's cache. */
async function readProfilesBesideWrites (url: string, workspace: Workspace, seconds: number): Promise<number> {
  const write: Request = {
    method: 'PATCH',
    path: '/users/me',
    headers: { authorization: `Bearer ${workspace.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ full_name: 'Somebody Else' })
  }
  const [perSecond] = await Promise.all([
    readProfiles(url, workspace, seconds),
    openLoad({ url, requests: [write], perSecond: WRITES_PER_SECOND, leadInSeconds: 0, seconds, patienceMs: 5000 })
  ])
  return perSecond
}

/** @throws Error unless a page is full: otherwise different work would be compared */
async function checkPages (url: string, requests: readonly Request[]): Promise<void> {
  for (const request of requests) {
    if (!request.path.includes('?')) return
    const { items } = await sendOnce(url, request) as { items: unknown[] }
    if (items.length !== PAGE) throw new Error(`${request.path} gave ${items.length} users`)
  }
}
