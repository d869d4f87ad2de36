import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Request } from 'autocannon'
import { getRequest, loginRequest } from './requests.ts'
import type { SeededUser } from './workspace.ts'

/** Another program that does the same two things: it logs a user in, and tells a user who he is. */
export interface Peer {
  name: string
  /** The command that runs it; undefined if it is not installed here. */
  command: (port: number) => [string, string[]] | undefined
  login: (user: SeededUser, password: string) => Request
  /** What its user sends afterwards. */
  profile: (loggedIn: { headers: Headers, body: unknown }) => Request
  /** The least ratio of ours to its. */
  goals: { logins: number, profiles: number }
}

export const PEERS_DIRECTORY = join(import.meta.dirname, 'peers')
const PYTHONS = ['python3', '/usr/bin/python3']
// What is missing to 1 is noise.
const NOT_BEHIND = 0.95
const FASTAPI_GOALS = { logins: 2.5, profiles: 4 }
const NEEDED_MODULES = 'import fastapi, uvicorn, argon2, jwt, multipart'

const logInWithForm: Peer['login'] = ({ username }, password) => loginRequest(username, password)
const readOwnProfile: Peer['profile'] = ({ body }) => getRequest('/users/me', (body as { access_token: string }).access_token)

export const PEERS: readonly Peer[] = [
  {
    name: 'Express',
    command: () => nodeCommand('express.js'),
    login: logInWithForm,
    profile: readOwnProfile,
    goals: { logins: NOT_BEHIND, profiles: 3 }
  },
  {
    name: 'Better Auth',
    command: () => nodeCommand('better-auth.js'),
    login: ({ email }, password) => ({
      method: 'POST',
      path: '/api/auth/sign-in/email',
      headers: { 'content-type': 'application/json', origin: 'https://app.example.com' },
      body: JSON.stringify({ email, password })
    }),
    profile: ({ headers }) => ({
      method: 'GET',
      path: '/api/auth/get-session',
      headers: { cookie: headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]).join('; ') }
    }),
    goals: { logins: NOT_BEHIND, profiles: 10 }
  },
  {
    name: 'FastAPI (tutorial)',
    command: (port) => uvicornCommand(port, 'fastapi_tutorial', []),
    login: logInWithForm,
    profile: readOwnProfile,
    goals: FASTAPI_GOALS
  },
  {
    name: 'FastAPI (all cores)',
    command: (port) => uvicornCommand(port, 'fastapi_peer', ['--workers', String(availableParallelism())]),
    login: logInWithForm,
    profile: readOwnProfile,
    goals: FASTAPI_GOALS
  }
]

function uvicornCommand (port: number, module: string, more: string[]): [string, string[]] | undefined {
  const python = PYTHONS.find((python) => spawnSync(python, ['-c', NEEDED_MODULES]).status === 0)
  if (python === undefined) return undefined
  return [python, ['-m', 'uvicorn', `${module}:app`, '--port', String(port), '--no-access-log', '--log-level', 'warning', ...more]]
}

function nodeCommand (file: string): [string, string[]] | undefined {
  return existsSync(join(PEERS_DIRECTORY, 'node_modules')) ? [process.execPath, [file]] : undefined
}

/** The packages of the peers are none of the service: they are fetched when somebody wants to compare. */
export function installPeers (): void {
  if (existsSync(join(PEERS_DIRECTORY, 'node_modules'))) return
  process.stderr.write('Installing the packages of the peers\n')
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: PEERS_DIRECTORY, stdio: ['ignore', 2, 2] })
}
