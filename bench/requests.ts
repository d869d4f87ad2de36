import type { Request } from 'autocannon'
import type { Workspace } from './workspace.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

export function loginRequest (username: string, password: string, headers: Record<string, string> = {}): Request {
  return {
    method: 'POST',
    path: '/token',
    headers: { ...FORM, ...headers },
    body: new URLSearchParams({ grant_type: 'password', username, password }).toString()
  }
}

/** Good log-ins of all users of the workspace. */
export function loginRequests ({ users, password }: Workspace): Request[] {
  return users.map(({ username }) => loginRequest(username, password))
}

export function getRequest (path: string, accessToken: string): Request {
  return { method: 'GET', path, headers: { authorization: `Bearer ${accessToken}` } }
}

/** Everybody reads the own profile. */
export function profileRequests ({ users }: Workspace): Request[] {
  return users.map(({ accessToken }) => getRequest('/users/me', accessToken))
}

/**
 * The body of a good answer.
 *
 * @throws Error for any other
 */
export async function sendOnce (url: string, request: Request): Promise<unknown> {
  return (await exchange(url, request)).body
}

/** @throws Error unless the answer is good */
export async function exchange (url: string, { method, path, headers, body }: Request): Promise<{ headers: Headers, body: unknown }> {
  const response = await fetch(`${url}${path}`, { method, headers: { ...headers, connection: 'close' }, ...body !== undefined && { body } })
  if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}`)
  return { headers: response.headers, body: await response.json() }
}
