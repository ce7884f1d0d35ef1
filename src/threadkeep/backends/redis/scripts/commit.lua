-- Drop, then put, in one step.
-- ARGV: now, life ('keep', '' = for ever, or when it ends), expected version ('' = any), token ('' = none),
-- version of a new life, how many drops; for each drop: kind ('' = the stream), upto, how many ids
-- (-1 = the kind), ids; for each put: kind, id, at, expires, body.
-- Returns 1, the version and the seqs; or 0 and the version found where another was expected.
local life, expect, token, birth = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local drops = {}
local p = 7
local everything = false
for i = 1, tonumber(ARGV[6]) do
  local drop = { kind = ARGV[p], upto = ARGV[p + 1], ids = nil }
  local count = tonumber(ARGV[p + 2])
  p = p + 3
  if count >= 0 then
    drop.ids = {}
    for j = 1, count do drop.ids[j] = ARGV[p + j - 1] end
    p = p + count
  end
  if drop.kind == '' then everything = true end
  drops[i] = drop
end
local puts = p <= #ARGV

local function drop_range(kind, upto)
  local high = upto ~= '' and '(' .. kind .. '\0' .. upto .. '\1' or '(' .. kind .. '\1'
  while true do
    local found = redis.call('ZRANGEBYLEX', z, '[' .. kind .. '\0', high, 'LIMIT', 0, CHUNK)
    if #found == 0 then return end
    local fields = {}
    for i = 1, #found do fields[i] = kind .. '\0' .. string.sub(found[i], #kind + 18) end
    each(fields, function(field, record)
      if record and expiry(record) ~= '' then remove(field, record) end
    end)
    redis.call('HDEL', h, unpack(fields))
    redis.call('ZREM', z, unpack(found))
  end
end

local function drop_ids(kind, upto, ids)
  for i = 1, #ids do
    local field = kind .. '\0' .. ids[i]
    local record = redis.call('HGET', h, field)
    if record and (upto == '' or place(record) <= upto) then remove(field, record) end
  end
end

-- The seq of a record: where it was, or the next one.
local function put(stream, kind, id, at, expires, body)
  local field = kind .. '\0' .. id
  local old = redis.call('HGET', h, field)
  if old and dead(expiry(old)) then
    remove(field, old)
    old = false
  end
  local seq
  if old then
    seq = place(old)
  else
    stream.q = stream.q + 1
    seq = pad(stream.q)
  end
  local record = seq .. '|' .. at .. '|' .. expires .. '|' .. body
  redis.call('HSET', h, field, record)
  if old and expiry(old) ~= expires then redis.call('ZREM', z, unpack(members(field, old))) end
  if not old or expiry(old) ~= expires then index(field, record) end
  return tonumber(seq)
end

-- The server's own clock only reclaims, a second later than the caller's clock decides.
local function reclaim(old, expires)
  if expires ~= '' then
    local left = math.min(math.max(math.ceil((tonumber(expires) - now) * 1000), 0), 2 ^ 50) + 1000
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, string.format('%.0f', left)) end
  elseif old ~= '' then
    for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
  end
end

local stream = live()
if stream and token ~= '' and stream.t == token then
  local answer = { 1, stream.w }
  while p <= #ARGV do
    local record = redis.call('HGET', h, ARGV[p] .. '\0' .. ARGV[p + 1])
    answer[#answer + 1] = record and tonumber(place(record)) or 0
    p = p + 5
  end
  return answer
end
local current = stream and string.format('%.0f', stream.v) or '0'
if expect ~= '' and expect ~= current then return { 0, tonumber(current) } end
if not stream and not puts then return { 1, 0 } end

local old = stream and stream.e or ''
local expires = life == 'keep' and old or life
if stream and not puts and #drops == 0 then
  if expires ~= old then
    redis.call('HSET', h, 'e', expires)
    reclaim(old, expires)
  end
  return { 1, stream.v }
end
if everything or not stream then
  redis.call('UNLINK', h, z)
  stream = nil
  old = ''
  if not puts then return { 1, 0 } end
end

if stream then
  heal()
  for _, drop in ipairs(drops) do
    if drop.ids then
      drop_ids(drop.kind, drop.upto, drop.ids)
    else
      drop_range(drop.kind, drop.upto)
    end
  end
  stream.v = stream.v + 1
else
  stream = { v = tonumber(birth), q = 0, t = '', w = 0 }
end
if token ~= '' then stream.t, stream.w = token, stream.v end
local answer = { 1, stream.v }
while p <= #ARGV do
  answer[#answer + 1] = put(stream, ARGV[p], ARGV[p + 1], ARGV[p + 2], ARGV[p + 3], ARGV[p + 4])
  p = p + 5
end
redis.call('HSET', h, 'v', string.format('%.0f', stream.v), 'q', string.format('%.0f', stream.q), 'e', expires,
  't', stream.t, 'w', string.format('%.0f', stream.w))
reclaim(old, expires)
return answer
