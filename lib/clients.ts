/** A client application, RFC 6749 section 2. All clients are public: none has a secret. */
export interface Client {
  id: string
  /** The values of `grant_type` that this client may use. */
  grantTypes: readonly string[]
}

/** The built-in client; it is meant when a request names none. */
export const FIRST_PARTY_CLIENT: Client = { id: 'first-party', grantTypes: ['password', 'refresh_token'] }

const clients: ReadonlyMap<string, Client> = new Map([[FIRST_PARTY_CLIENT.id, FIRST_PARTY_CLIENT]])

/** The client of that id, compared exactly; undefined if there is none. */
export function findClient (id: string): Client | undefined {
  return clients.get(id)
}
