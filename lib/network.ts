import { isIP } from 'node:net'

/** Stands for every text that is no address, so that nobody gets a network of his own by making one up. */
export const UNKNOWN_NETWORK = 'unknown'

const GROUPS = 8
const GROUPS_OF_NETWORK = 4
// Some gateways forward the port too.
const PORT = /^(?:([\d.]+)|\[(.+)\]):\d+$/

/**
 * Where a request comes from, as it is counted: an IPv4 address by itself, an IPv6 address with all of its /64, which is
 * the least that anybody is given (RFC 6177), and an IPv4-mapped one as the IPv4 address that it is (RFC 4291 section 2.5.5.2).
 */
export function networkOf (address = ''): string {
  const ip = address.replace(PORT, '$1$2')
  switch (isIP(ip)) {
    case 4: return ip
    case 6: return networkOfGroups(groupsOf(ip))
    default: return UNKNOWN_NETWORK
  }
}

/** The eight numbers of an IPv6 address, in hexadecimal. */
function groupsOf (ip: string): string[] {
  const { hostname } = new URL(`http://[${ip.replace(/%.*/, '')}]`)
  const [head, tail] = hostname.slice(1, -1).split('::').map((part) => part.split(':').filter(Boolean)) as [string[], string[]?]
  if (tail === undefined) return head
  return [...head, ...Array<string>(GROUPS - head.length - tail.length).fill('0'), ...tail]
}

function networkOfGroups (groups: readonly string[]): string {
  const isMapped = groups.slice(0, 6).join() === '0,0,0,0,0,ffff'
  return isMapped ? groups.slice(6).flatMap(bytesOf).join('.') : `${groups.slice(0, GROUPS_OF_NETWORK).join(':')}::/64`
}

function bytesOf (group: string): number[] {
  const value = parseInt(group, 16)
  return [value >> 8, value & 0xff]
}
