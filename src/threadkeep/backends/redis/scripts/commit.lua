-- Drop, then put, in one step.
-- ARGV: now, life ('keep', '' = for ever, or when it ends), expected version ('' = any), token ('' = none),
-- version of a new life, how many drops; for each drop: kind ('' = the stream), upto, how many ids
-- (-1 = the kind), ids; for each put, no two of one id: kind\0id\0at|expires|body.
-- Returns 1 and the version, then, if there are puts, the seq before the first new record, and for each
-- put that was known its number (from 0) and its seq; new ones follow that seq in their order. A token
-- that comes again has -1 there, and names all that are still there.
-- Or 0 and the version found where another was expected.
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

local function drop_range(kind, upto, mortal)
  local high = upto ~= '' and '(' .. kind .. '\0' .. upto .. '\1' or '(' .. kind .. '\1'
  while true do
    local found = redis.call('ZRANGEBYLEX', z, '[' .. kind .. '\0', high, 'LIMIT', 0, CHUNK)
    if #found == 0 then return end
    local fields = {}
    for i = 1, #found do fields[i] = kind .. '\0' .. string.sub(found[i], #kind + 18) end
    if mortal then
      each(fields, function(field, record)
        if record and expiry(record) ~= '' then remove(field, record) end
      end)
    end
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

-- From a put to its field and what is kept there behind the seq.
local function split(text)
  local zero = string.find(text, '\0', string.find(text, '\0', 1, true) + 1, true)
  return string.sub(text, 1, zero - 1), string.sub(text, zero + 1)
end

-- Where a record was it stays, unless its own time is over; what was known is added to `answer`.
local function put(stream, mortal, first, last, answer)
  local fields, rests, sets, adds = {}, {}, {}, {}
  for i = first, last do fields[i - first + 1], rests[i - first + 1] = split(ARGV[i]) end
  local found = stream.q > 0 and redis.call('HMGET', h, unpack(fields)) or {}
  for i, field in ipairs(fields) do
    local old = found[i]
    if old and mortal and dead(expiry(old)) then
      remove(field, old)
      old = false
    end
    local seq
    if old then
      seq = place(old)
      answer[#answer + 1] = first + i - 1 - p
      answer[#answer + 1] = tonumber(seq)
    else
      stream.q = stream.q + 1
      seq = pad(stream.q)
    end
    local record = seq .. '|' .. rests[i]
    sets[2 * i - 1], sets[2 * i] = field, record
    if old and expiry(old) ~= expiry(record) then
      redis.call('ZREM', z, members(field, old))
      old = false
    end
    if not old then
      local own, due = members(field, record)
      local n = #adds
      adds[n + 1], adds[n + 2] = 0, own
      if due then adds[n + 3], adds[n + 4] = 0, due end
    end
  end
  redis.call('HSET', h, unpack(sets))
  if #adds > 0 then redis.call('ZADD', z, unpack(adds)) end
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
  local answer, fields = { 1, stream.w }, {}
  if puts then answer[3] = -1 end
  for i = p, #ARGV do fields[i - p + 1] = split(ARGV[i]) end
  local n = 0
  each(fields, function(_, record)
    if record then
      answer[#answer + 1] = n
      answer[#answer + 1] = tonumber(place(record))
    end
    n = n + 1
  end)
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

local mortal = false
if stream then
  mortal = heal()
  for _, drop in ipairs(drops) do
    if drop.ids then
      drop_ids(drop.kind, drop.upto, drop.ids)
    else
      drop_range(drop.kind, drop.upto, mortal)
    end
  end
  stream.v = stream.v + 1
else
  stream = { v = tonumber(birth), q = 0, t = '', w = 0 }
end
if token ~= '' then stream.t, stream.w = token, stream.v end
local answer = { 1, stream.v }
if puts then answer[3] = stream.q end
for first = p, #ARGV, CHUNK do put(stream, mortal, first, math.min(first + CHUNK - 1, #ARGV), answer) end
redis.call('HSET', h, 'v', string.format('%.0f', stream.v), 'q', string.format('%.0f', stream.q), 'e', expires,
  't', stream.t, 'w', string.format('%.0f', stream.w))
reclaim(old, expires)
return answer
