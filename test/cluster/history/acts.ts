import { randomUUID } from 'node:crypto'
import { FORM_HEADERS } from '../../helper.ts'
import { decode } from '../../tokens.ts'
import { pickLink, pickPassword, pickRefreshToken, pickSession, type KnownSession, type Person } from './people.ts'
import type { Random } from './random.ts'
import { ask, isUnanswered, note, unexpected, type Answer, type Scene } from './scene.ts'

/** Does one act for a person, and notes what came of it. Resolves to false if it could not be done. */
type Perform = (scene: Scene, person: Person, random: Random) => Promise<boolean>

const JSON_HEADERS = { 'content-type': 'application/json' }
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

function newPassword ({ passwords }: Person): string {
  const password = `another horse ${randomUUID()}`
  passwords.push(password)
  return password
}

async function postForm (scene: Scene, random: Random, path: string, form: Record<string, string>): Promise<Answer | undefined> {
  return await ask(scene, random, path, { method: 'POST', headers: FORM_HEADERS, body: new URLSearchParams(form).toString() })
}

const logIn: Perform = async (scene, person, random) => {
  if (!await scene.forgetCounts()) return false
  const password = pickPassword(person, random)
  const answer = await postForm(scene, random, '/token', { grant_type: 'password', username: person.username, password })
  if (answer === undefined) return false
  if (isUnanswered(answer)) return true // a session that nobody knows does nothing
  if (answer.status === 400) {
    note(scene, person, answer, { kind: 'log in', password }, 'refused')
    return true
  }
  if (answer.status !== 200) throw unexpected('log-in', answer)
  const { access_token: accessToken, refresh_token: refreshToken } = answer.body as { access_token: string, refresh_token: string }
  const session = { id: decode(accessToken.split('.')[1]).sid as string, accessTokens: [accessToken], refreshTokens: [refreshToken] }
  note(scene, person, answer, { kind: 'log in', password, opens: { session: session.id, token: refreshToken } }, 'ok')
  person.password = password
  person.sessions.push(session)
  person.live.add(session)
  return true
}

function noteUse (scene: Scene, person: Person, session: KnownSession, answer: Answer): void {
  if (answer.status === 401) person.live.delete(session)
  note(scene, person, answer, { kind: 'use session', session: session.id }, answer.status === 401 ? 'refused' : 'ok')
}

export async function useSession (scene: Scene, person: Person, session: KnownSession, random: Random): Promise<boolean> {
  const answer = await ask(scene, random, random.pick(['/users/me', '/verify', '/verify/orders?id=1']), { headers: bearer(random.pick(session.accessTokens)) })
  if (answer === undefined) return false
  if (isUnanswered(answer)) return true
  if (![200, 204, 401].includes(answer.status as number)) throw unexpected('use', answer)
  noteUse(scene, person, session, answer)
  return true
}

const refresh: Perform = async (scene, person, random) => {
  const session = pickSession(person, random)
  const token = pickRefreshToken(session, random)
  const answer = await postForm(scene, random, '/token', { grant_type: 'refresh_token', refresh_token: token })
  if (answer === undefined) return false
  const act = { kind: 'refresh', session: session.id, token } as const
  if (isUnanswered(answer)) {
    note(scene, person, answer, act, 'unknown')
  } else if (answer.status === 400) {
    person.live.delete(session)
    note(scene, person, answer, act, 'refused')
  } else if (answer.status === 200) {
    const { access_token: accessToken, refresh_token: successor } = answer.body as { access_token: string, refresh_token: string }
    session.accessTokens.push(accessToken)
    if (!session.refreshTokens.includes(successor)) session.refreshTokens.push(successor)
    note(scene, person, answer, { ...act, successor }, 'ok')
  } else {
    throw unexpected('refresh', answer)
  }
  return true
}

const revoke: Perform = async (scene, person, random) => {
  const session = pickSession(person, random)
  const token = random.chance(0.5) ? pickRefreshToken(session, random) : random.pick(session.accessTokens)
  const answer = await postForm(scene, random, '/revoke', { token })
  if (answer === undefined) return false
  if (!isUnanswered(answer) && answer.status !== 200) throw unexpected('revocation', answer)
  if (answer.status === 200) person.live.delete(session)
  note(scene, person, answer, { kind: 'revoke', session: session.id }, isUnanswered(answer) ? 'unknown' : 'ok')
  return true
}

const changePassword: Perform = async (scene, person, random) => {
  if (!await scene.forgetCounts()) return false
  const session = pickSession(person, random)
  const current = pickPassword(person, random)
  const next = newPassword(person)
  const answer = await ask(scene, random, '/users/me/password', {
    method: 'PUT',
    headers: { ...JSON_HEADERS, ...bearer(random.pick(session.accessTokens)) },
    body: JSON.stringify({ current_password: current, new_password: next })
  })
  if (answer === undefined) return false
  const act = { kind: 'change password', session: session.id, current, next } as const
  if (isUnanswered(answer)) {
    note(scene, person, answer, act, 'unknown')
    return true
  }
  if (![204, 401, 403, 409].includes(answer.status as number)) throw unexpected('change', answer)
  noteUse(scene, person, session, answer)
  if (answer.status === 403) note(scene, person, answer, act, 'refused')
  if (answer.status === 204) {
    note(scene, person, answer, act, 'ok')
    person.password = next
  }
  return true
}

const mailLink: Perform = async (scene, person) => {
  const told = { replica: 'the mail', invokedAt: performance.now() }
  const link = await scene.mailLink(person.username).catch(() => undefined)
  note(scene, person, { ...told, completedAt: performance.now() }, { kind: 'mail link', link: link ?? randomUUID() }, link === undefined ? 'unknown' : 'ok')
  if (link !== undefined) person.links.push(link)
  return true
}

const resetPassword: Perform = async (scene, person, random) => {
  const link = pickLink(person, random)
  const next = newPassword(person)
  const answer = await ask(scene, random, '/password-reset', { method: 'PUT', headers: JSON_HEADERS, body: JSON.stringify({ token: link, new_password: next }) })
  if (answer === undefined) return false
  if (!isUnanswered(answer) && answer.status !== 204 && answer.body.code !== 'invalid_token') throw unexpected('reset', answer)
  if (answer.status === 204) person.password = next
  note(scene, person, answer, { kind: 'reset password', link, next }, isUnanswered(answer) ? 'unknown' : answer.status === 204 ? 'ok' : 'refused')
  return true
}

/** How often each is done, in relation to the others. */
const ACTS: Array<{ share: number, perform: Perform }> = [
  { share: 38, perform: async (scene, person, random) => await useSession(scene, person, pickSession(person, random), random) },
  { share: 30, perform: refresh },
  { share: 12, perform: logIn },
  { share: 8, perform: revoke },
  { share: 5, perform: changePassword },
  { share: 3, perform: mailLink },
  { share: 4, perform: resetPassword }
]
const ALL = ACTS.flatMap(({ share, perform }) => Array<Perform>(share).fill(perform))

export async function actAtRandom (scene: Scene, random: Random): Promise<boolean> {
  const person = random.pick(scene.people)
  const perform = random.pick(ALL)
  if (person.live.size < 2) return await logIn(scene, person, random)
  return await (perform === resetPassword && person.links.length === 0 ? mailLink : perform)(scene, person, random)
}
