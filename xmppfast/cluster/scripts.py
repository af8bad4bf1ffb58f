"""What is done in Redis in one step, in its own language.

Keys, all with the same prefix: `workers`, when the lease of each ends, in milliseconds of the
server's clock; `owners`, the owner of each claimed account; `of:WORKER`, the accounts of one.
Channels: `events` for all, and `to:WORKER`. An event is a verb, a worker and maybe an account, with
spaces between.
"""

from __future__ import annotations

from typing import Final

_NOW: Final = """
local p = KEYS[1]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function remove(worker)
  for _, account in ipairs(redis.call('SMEMBERS', p .. 'of:' .. worker)) do
    if redis.call('HGET', p .. 'owners', account) == worker then
      redis.call('HDEL', p .. 'owners', account)
    end
  end
  redis.call('DEL', p .. 'of:' .. worker)
  if redis.call('ZREM', p .. 'workers', worker) == 1 then
    redis.call('PUBLISH', p .. 'events', 'gone ' .. worker)
  end
end
"""

_CLAIM: Final = """
local function claim(worker, account)
  local owner = redis.call('HGET', p .. 'owners', account)
  if owner and redis.call('ZSCORE', p .. 'workers', owner) then return owner end
  redis.call('HSET', p .. 'owners', account, worker)
  redis.call('SADD', p .. 'of:' .. worker, account)
  redis.call('PUBLISH', p .. 'events', 'claimed ' .. worker .. ' ' .. account)
  return worker
end
"""

JOIN: Final = (
    _NOW
    + """
redis.call('ZADD', p .. 'workers', now + ARGV[2], ARGV[1])
redis.call('PUBLISH', p .. 'events', 'joined ' .. ARGV[1])
"""
)
"""Be a worker. Arguments: its name, milliseconds of its lease."""

BEAT: Final = (
    _NOW
    + """
if not redis.call('ZSCORE', p .. 'workers', ARGV[1]) then return 0 end
redis.call('ZADD', p .. 'workers', now + ARGV[2], ARGV[1])
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', p .. 'workers', '-inf', now)) do
  remove(worker)
end
redis.call('PUBLISH', p .. 'events', 'beat ' .. ARGV[1])
return 1
"""
)
"""Renew a lease, remove those whose lease has ended; 0 if it was one of them. As `JOIN`."""

REMOVE: Final = _NOW + "remove(ARGV[1])"
"""A worker is gone. Argument: its name."""

CLAIM: Final = (
    _NOW
    + _CLAIM
    + """
if not redis.call('ZSCORE', p .. 'workers', ARGV[1]) then return '' end
return claim(ARGV[1], ARGV[2])
"""
)
"""The owner of an account, from now on if nobody was; '' for a worker that isn't there.

Arguments: the worker, the account.
"""

RECLAIM: Final = (
    _NOW
    + _CLAIM
    + """
local taken = {}
for index = 2, #ARGV do
  local owner = claim(ARGV[1], ARGV[index])
  if owner ~= ARGV[1] then
    taken[#taken + 1] = ARGV[index]
    taken[#taken + 1] = owner
  end
end
return taken
"""
)
"""Claim many, after the bus was away; accounts and owners of those that others have now."""

RELEASE: Final = (
    _NOW
    + """
if redis.call('HGET', p .. 'owners', ARGV[2]) == ARGV[1] then
  redis.call('HDEL', p .. 'owners', ARGV[2])
  redis.call('SREM', p .. 'of:' .. ARGV[1], ARGV[2])
  redis.call('PUBLISH', p .. 'events', 'released ' .. ARGV[1] .. ' ' .. ARGV[2])
end
"""
)
"""Have an account no more. Arguments as for `CLAIM`."""
