// The package has no types of its own; here is what the test uses.
declare module 'simple-oauth2' {
  interface Token {
    access_token: string
    refresh_token: string
    token_type: string
    scope: string
  }

  class AccessToken {
    token: Token
    expired (): boolean
    refresh (params?: { scope?: string }): Promise<AccessToken>
    revoke (type: 'access_token' | 'refresh_token'): Promise<void>
    revokeAll (): Promise<void>
  }

  interface Options {
    client: { id: string, secret: string }
    auth: { tokenHost: string, tokenPath: string, revokePath: string }
    options: { authorizationMethod: 'header' | 'body' }
  }

  export class ResourceOwnerPassword {
    constructor (options: Options)
    getToken (params: { username: string, password: string, scope?: string }): Promise<AccessToken>
  }
}
