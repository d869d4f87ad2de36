import { ResourceOwnerPassword } from 'simple-oauth2'
import t from 'tap'
import { buildIssuer } from '../listen.ts'

const CREDENTIALS = { username: 'johndoe', password: 'secret' }
const CLIENT = { id: 'first-party', secret: '' }

function connect (issuer: string, authorizationMethod: 'header' | 'body', client = CLIENT): ResourceOwnerPassword {
  return new ResourceOwnerPassword({
    client,
    auth: { tokenHost: issuer, tokenPath: '/token', revokePath: '/revoke' },
    options: { authorizationMethod }
  })
}

async function refusalOf (answer: Promise<unknown>): Promise<unknown> {
  return await answer.then(() => undefined, (error: unknown) => error)
}

for (const method of ['header', 'body'] as const) {
  t.test(`simple-oauth2, its client in the ${method}, logs in, goes on and logs out`, async (t) => {
    const { issuer } = await buildIssuer(t)
    const client = connect(issuer, method)

    const first = await client.getToken({ ...CREDENTIALS, scope: 'profile account' })
    const second = await first.refresh()
    const narrow = await second.refresh({ scope: 'profile' })
    await narrow.revoke('refresh_token')

    t.match(first.token, { token_type: 'bearer', scope: 'profile account' })
    t.notOk(first.expired())
    t.equal(narrow.token.scope, 'profile')
    t.equal(new Set([first, second, narrow].map(({ token }) => token.refresh_token)).size, 3)
    t.match(await refusalOf(narrow.refresh()), { output: { statusCode: 400 }, data: { payload: { error: 'invalid_grant' } } })
  })

  t.test(`simple-oauth2, its client in the ${method}, ends the session by the access token too`, async (t) => {
    const { issuer } = await buildIssuer(t)
    const session = await connect(issuer, method).getToken(CREDENTIALS)

    await session.revokeAll()

    const profile = await fetch(`${issuer}/users/me`, { headers: { authorization: `Bearer ${session.token.access_token}` } })
    t.equal(profile.status, 401)
  })

  t.test(`An unknown client in the ${method} is refused`, async (t) => {
    const { issuer } = await buildIssuer(t)
    const client = connect(issuer, method, { id: 'somebody', secret: '' })

    t.match(await refusalOf(client.getToken(CREDENTIALS)), { output: { statusCode: 401 }, data: { payload: { error: 'invalid_client' } } })
  })
}
