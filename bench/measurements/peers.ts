import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Request } from 'autocannon'
import { flood, inTurn, load, type Bench } from '../load.ts'
import { installPeers, PEERS, PEERS_DIRECTORY, type Peer } from '../peers.ts'
import { startProgram, startService, type Server } from '../processes.ts'
import { ratioFigure, type Figure } from '../report.ts'
import { exchange, loginRequests, profileRequests } from '../requests.ts'
import { createWorkspace, type Workspace } from '../workspace.ts'
import { hashesPerSecond, overload } from './overload.ts'

/** What a server is asked. */
interface Side {
  server: Server
  logins: Request[]
  profiles: Request[]
}

// Each of them logs in at the peer before it is measured.
const USERS = 100
const LOGIN_CONNECTIONS = 10
const PROFILE_CONNECTIONS = 50
const MOST_ROUNDS = 3
const OVERLOAD_GOAL = 1
// A ratio to nothing at all would be no number.
const LEAST_PER_SECOND = 0.1

/** The same two things as other programs do them, each as its documentation tells to write it. */
export async function measurePeers (bench: Bench): Promise<Figure[]> {
  installPeers()
  const workspace = await createWorkspace({ users: USERS })
  const database = copyUsers(workspace)
  const server = await startService(workspace)
  const ours = { server, logins: loginRequests(workspace), profiles: profileRequests(workspace) }
  const figures: Figure[] = []
  for (const peer of PEERS) {
    const theirs = await startPeer(peer, workspace, database)
    if (theirs === undefined) bench.skip(`${peer.name}, which is not installed`)
    else figures.push(...await compare(peer, ours, theirs, workspace, bench))
    await theirs?.server.kill()
  }
  await server.stop()
  workspace.remove()
  return figures
}

/** @returns the path of a database with nothing but what the peers need */
function copyUsers ({ directory, users, hash }: Workspace): string {
  const path = join(directory, 'peers.db')
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; create table users (id text primary key, username text unique, email text unique, full_name text, password_hash text)')
  const insert = database.prepare('insert into users values (?, ?, ?, ?, ?)')
  for (const { id, username, email } of users) insert.run(id, username, email, `The Person ${username}`, hash)
  database.close()
  return path
}

async function startPeer ({ command, login, profile }: Peer, { users, password, logPath }: Workspace, database: string): Promise<Side | undefined> {
  if (command(0) === undefined) return undefined
  const server = await startProgram({
    command: (port) => command(port) as [string, string[]],
    directory: PEERS_DIRECTORY,
    env: { NODE_ENV: 'production', DATABASE: database, SECRET: randomBytes(32).toString('hex'), PASSWORD: password },
    logPath
  })
  const logins = users.map((user) => login(user, password))
  const profiles: Request[] = []
  for (const request of logins) profiles.push(profile(await exchange(server.url, request)))
  return { server, logins, profiles }
}

async function compare ({ name, goals }: Peer, ours: Side, theirs: Side, workspace: Workspace, { rounds: wanted, seconds }: Bench): Promise<Figure[]> {
  const rounds = Math.min(wanted, MOST_ROUNDS)
  const logIn = ({ server: { url }, logins }: Side) => async () => (await flood({ url, seconds, connections: LOGIN_CONNECTIONS, requests: logins })).perSecond
  const read = ({ server: { url }, profiles }: Side) => async () => await load({ url, seconds, connections: PROFILE_CONNECTIONS, requests: profiles })

  await inTurn(1, read(theirs), read(ours)) // warms both up
  const profiles = await inTurn(rounds, read(theirs), read(ours))
  const logins = await inTurn(rounds, logIn(theirs), logIn(ours))

  const capacity = await hashesPerSecond(workspace, seconds)
  const we = await overload(ours.server.url, ours, capacity, seconds)
  // The last of all: a peer may go on for minutes with log-ins for which nobody waits any more.
  const they = await overload(theirs.server.url, theirs, capacity, seconds)
  const goodLogins = { figure: we.logins.goodPerSecond, limit: Math.max(they.logins.goodPerSecond, LEAST_PER_SECOND) }
  return [
    ratioFigure(`Log-ins: Latchkey : ${name}`, goals.logins, logins),
    ratioFigure(`Own profile: Latchkey : ${name}`, goals.profiles, profiles),
    ratioFigure(`Good log-ins at 10 x overload: Latchkey : ${name}`, OVERLOAD_GOAL, [goodLogins]),
    { name: `99th percentile of the own profile meanwhile: ${name} : Latchkey`, goal: { atLeast: OVERLOAD_GOAL }, rounds: [they.profileP99Ms / we.profileP99Ms] }
  ]
}
