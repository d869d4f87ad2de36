import type { Operation } from './operation.ts'

/** A session that goes on, with the refresh tokens that are good: the newest and, for lost answers, the one before. */
interface LiveSession {
  previous?: string
  /** Undefined if nobody was told. */
  newest: string | undefined
}

/** All of a user that the service has to remember. */
export interface Account {
  password: string
  /** The one mailed link that is good, if any. */
  link?: string | undefined
  sessions: Readonly<Record<string, LiveSession | 'over'>>
}

export const newAccount = (password: string): Account => ({ password, sessions: {} })

/**
 * Does one operation after the other, as a service that serves nobody else would. Resolves to undefined where that service
 * would not have answered so, and to the same account where nothing changes.
 */
export function step (account: Account, { act, outcome }: Operation): Account | undefined {
  const isAsSaid = (isGood: boolean): boolean => outcome === 'unknown' || isGood === (outcome === 'ok')

  switch (act.kind) {
    case 'log in': {
      if (!isAsSaid(act.password === account.password)) return undefined
      return act.opens === undefined ? account : withSession(account, act.opens.session, { newest: act.opens.token })
    }
    case 'use session':
      return act.session in account.sessions && isAsSaid(account.sessions[act.session] !== 'over') ? account : undefined
    case 'refresh':
      return refresh(account, act, outcome)
    case 'revoke':
      return end(account, act.session)
    case 'change password': {
      const isGood = act.current === account.password
      if (!isAsSaid(isGood)) return undefined
      return isGood ? withPassword(account, act.next, act.session) : account
    }
    case 'mail link':
      return { ...account, link: act.link }
    case 'reset password': {
      const isGood = act.link === account.link
      if (!isAsSaid(isGood)) return undefined
      return isGood ? withPassword(account, act.next) : account
    }
  }
}

function refresh (account: Account, { session: id, token, successor }: { session: string, token: string, successor?: string }, outcome: Operation['outcome']): Account | undefined {
  const session = account.sessions[id]
  if (session === undefined) return undefined
  const isGood = session !== 'over' && (token === session.newest || token === session.previous)
  if (!isGood) return outcome === 'ok' ? undefined : end(account, id) // an old one was stolen
  if (outcome === 'refused') return undefined
  if (token === session.newest) return withSession(account, id, { previous: token, newest: successor })
  if (outcome === 'unknown' || session.newest === successor) return account
  return session.newest === undefined ? withSession(account, id, { previous: token, newest: successor }) : undefined
}

function withSession (account: Account, id: string, session: LiveSession | 'over'): Account {
  return { ...account, sessions: { ...account.sessions, [id]: session } }
}

function end (account: Account, id: string): Account | undefined {
  const session = account.sessions[id]
  if (session === undefined) return undefined
  return session === 'over' ? account : withSession(account, id, 'over')
}

/** Everybody else is out, and the link is void. */
function withPassword ({ sessions }: Account, password: string, exceptSession?: string): Account {
  return { password, sessions: Object.fromEntries(Object.entries(sessions).map(([id, session]) => [id, id === exceptSession ? session : 'over'])) }
}
