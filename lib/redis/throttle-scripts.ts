/*
 * The counters in Redis, each change in one step. All keys begin with the prefix, which is KEYS[1]:
 *
 *   counter:KEY       a hash: rule, user, network, failures, anchored_at, expires_at
 *   keys              the keys of all counters, in their order
 *   expiries          the same by the time when they are forgotten
 *   user:ID           the keys of those about a user
 *   network:NETWORK   the keys of those from a network
 *
 * Times come from the caller, in milliseconds. They stay text, because Lua would round them when it writes them.
 */

/**
 * So long after it was written the last time an index is gone by itself, which is longer than any counter counts. A counter is gone
 * so long after it is forgotten: while an index leads to it, it is there to say which others do.
 */
const KEEP_INDEX_MS = 2 * 60 * 60 * 1000

const REMOVE = `
local prefix = KEYS[1]

local function remove (key)
  local counter = prefix .. 'counter:' .. key
  local user, network = unpack(redis.call('hmget', counter, 'user', 'network'))
  redis.call('zrem', prefix .. 'keys', key)
  redis.call('zrem', prefix .. 'expiries', key)
  if user then redis.call('zrem', prefix .. 'user:' .. user, key) end
  if network then redis.call('zrem', prefix .. 'network:' .. network, key) end
  return redis.call('del', counter)
end

local function removeForgotten (at, most)
  for _, key in ipairs(redis.call('zrangebyscore', prefix .. 'expiries', '-inf', at, 'limit', 0, most)) do remove(key) end
end
`

const KEEP = `
local function index (name, key, score)
  redis.call('zadd', prefix .. name, score, key)
  redis.call('pexpire', prefix .. name, ${KEEP_INDEX_MS})
end

local function keep (key, at, anchored, expires)
  local counter = prefix .. 'counter:' .. key
  redis.call('hset', counter, 'anchored_at', anchored, 'expires_at', expires)
  redis.call('pexpire', counter, string.format('%.0f', expires - at + ${KEEP_INDEX_MS}))
  index('keys', key, 0)
  index('expiries', key, expires)
  local user, network = unpack(redis.call('hmget', counter, 'user', 'network'))
  if user then index('user:' .. user, key, 0) end
  if network then index('network:' .. network, key, 0) end
end
`

/**
 * Counts one more at each counter of the JSON array ARGV[1], at the time ARGV[2], unless ARGV[3] are counted there.
 * Gives the failures and the anchor of each. With each one up to ten that are forgotten are removed, so that those are never
 * many for long.
 */
export const COUNT = `${REMOVE}${KEEP}
local at, most = ARGV[2], tonumber(ARGV[3])

local function count (new)
  removeForgotten(at, 10)

  local counter = prefix .. 'counter:' .. new.key
  local user, failures, anchored, expires = unpack(redis.call('hmget', counter, 'user', 'failures', 'anchored_at', 'expires_at'))
  -- Too old, or so far in the future that the clock was set back.
  local forgotten = not failures or tonumber(expires) <= tonumber(at) or tonumber(anchored) >= tonumber(new.expires_at)
  if forgotten then failures = 0 end
  if tonumber(failures) >= most then return false end
  if forgotten or new.anchor == 'last' then anchored, expires = at, new.expires_at end

  if user and new.user and user ~= new.user then redis.call('zrem', prefix .. 'user:' .. user, new.key) end
  redis.call('hset', counter, 'rule', new.rule, 'failures', failures + 1)
  if new.user then redis.call('hset', counter, 'user', new.user) end
  if new.network then redis.call('hset', counter, 'network', new.network) end
  keep(new.key, at, anchored, expires)
  return { failures + 1, anchored }
end

local counted = {}
for position, new in ipairs(cjson.decode(ARGV[1])) do counted[position] = count(new) end
return counted
`

/**
 * Lets the wait of each counter of the JSON array ARGV[1] begin anew at the time ARGV[2], if all are as they were seen. Gives
 * whether they were.
 */
export const CLAIM = `
local prefix, at = KEYS[1], ARGV[2]
${KEEP}
local claims = cjson.decode(ARGV[1])

for _, claim in ipairs(claims) do
  if redis.call('hget', prefix .. 'counter:' .. claim.key, 'anchored_at') ~= claim.anchored_at then return 0 end
end
for _, claim in ipairs(claims) do keep(claim.key, at, at, claim.expires_at) end
return 1
`

/**
 * Fails where counters can't be written: a replica and a Redis without memory answer too. That one is full of counters which
 * nobody counts any more, so what is forgotten at the time ARGV[1] goes first.
 */
export const PROBE = `${REMOVE}
removeForgotten(ARGV[1], 500)
return redis.call('set', prefix .. 'probe', '', 'px', 1000)
`

/** Removes the counters with the keys in ARGV, and gives how many there were. */
export const REMOVE_KEYS = `${REMOVE}
local removed = 0
for _, key in ipairs(ARGV) do removed = removed + remove(key) end
return removed
`

/** Removes as many as ARGV[2] that the index ARGV[1] has, and gives how many there were and whether there may be more. */
export const REMOVE_SOME = `${REMOVE}
local keys = redis.call('zrange', prefix .. ARGV[1], 0, ARGV[2] - 1)
local removed = 0
for _, key in ipairs(keys) do
  removed = removed + remove(key)
  redis.call('zrem', prefix .. ARGV[1], key)
end
return { removed, #keys }
`
