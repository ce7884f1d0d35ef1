-- Reclaim what expired: the stream, or up to so many of its records.
-- ARGV: now, limit. Returns how many entries went.
local expires = redis.call('HGET', h, 'e')
if not expires then return redis.call('UNLINK', z, x) end
if dead(expires) then
  redis.call('UNLINK', h, z, x)
  return 1
end
local fields = redis.call('ZRANGEBYSCORE', x, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, field in ipairs(fields) do
  local record = redis.call('HGET', h, field)
  redis.call('ZREM', x, field)
  if record and dead(expiry(record)) then
    local kind, id = string.match(field, '^([a-z_]+)%z(.*)$')
    redis.call('HDEL', h, field)
    redis.call('ZREM', z, kind .. '\0' .. place(record) .. '\0' .. id)
  end
end
return #fields
