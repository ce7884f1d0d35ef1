-- Reclaim what expired: the stream, or up to so many of its records.
-- ARGV: now, limit. Returns how many entries went.
local expires = redis.call('HGET', h, 'e')
if not expires then return redis.call('UNLINK', z) end
if ended(expires) then
  redis.call('UNLINK', h, z)
  return 1
end
local swept = 0
local due = '(\0' .. when(now) .. '\1'
for _, member in ipairs(redis.call('ZRANGEBYLEX', z, '-', due, 'LIMIT', 0, ARGV[2])) do
  local field = string.sub(member, #when(now) + 3)
  local record = redis.call('HGET', h, field)
  if record and dead(expiry(record)) then
    remove(field, record)
    swept = swept + 1
  end
end
return swept
