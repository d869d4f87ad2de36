import t from 'tap'
import { networkOf, UNKNOWN_NETWORK } from '../../lib/network.ts'

const networks = [
  { name: 'an IPv4 address is by itself', addresses: ['203.0.113.9'], network: '203.0.113.9' },
  {
    name: 'an IPv4 address is the same however IPv6 writes it',
    addresses: ['::ffff:1.2.3.4', '::FFFF:1.2.3.4', '::ffff:102:304', '0:0:0:0:0:ffff:1.2.3.4', '0000:0000:0000:0000:0000:ffff:0102:0304'],
    network: '1.2.3.4'
  },
  {
    name: 'all addresses of an IPv6 /64 are one',
    addresses: ['2001:db8:0:7::', '2001:db8:0:7::1', '2001:DB8:0:7:ffff:ffff:ffff:ffff', '2001:0db8:0000:0007:0:0:0:1', '2001:db8:0:7:1:2:1.2.3.4'],
    network: '2001:db8:0:7::/64'
  },
  { name: 'the next /64 is another one', addresses: ['2001:db8:0:8::1'], network: '2001:db8:0:8::/64' },
  { name: 'an address of eight numbers is read as one', addresses: ['2001:db8:1:2:3:4:5:6'], network: '2001:db8:1:2::/64' },
  { name: 'the own machine has a network too', addresses: ['::1', '::'], network: '0:0:0:0::/64' },
  { name: 'the zone of an address is left out', addresses: ['fe80::1%eth0', 'fe80::2%1'], network: 'fe80:0:0:0::/64' },
  { name: 'the port that some gateways add is left out', addresses: ['203.0.113.9:4711', '203.0.113.9:1'], network: '203.0.113.9' },
  { name: 'the port after an IPv6 address is left out', addresses: ['[2001:db8::1]:4711'], network: '2001:db8:0:0::/64' }
]
for (const { name, addresses, network } of networks) {
  t.test(name, async (t) => {
    for (const address of addresses) t.equal(networkOf(address), network, address)
  })
}

t.test('everything that is no address is one network', async (t) => {
  for (const text of [undefined, '', 'unknown', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', '2001:db8::1::2', '2001:db8::g', '[2001:db8::1]', '2001:db8::/64', '[x]:1', ':1', '../etc']) {
    t.equal(networkOf(text), UNKNOWN_NETWORK, String(text))
  }
})

t.test('what a network is called has the same network', async (t) => {
  for (const address of ['203.0.113.9', '::ffff:1.2.3.4', '2001:db8::1']) {
    t.equal(networkOf(networkOf(address).replace('/64', '')), networkOf(address))
  }
})
