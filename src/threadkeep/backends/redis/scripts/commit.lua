-- Drop, then put, in one step.
-- ARGV: now, life ('keep', '' = for ever, or when it ends, blank, ttl), expected version ('' = any), how many versions
-- beyond it will do, token ('' = none), version of a new life, whether a put expires by itself (1 or 0), kind
-- and id of each put, no two alike, as a MessagePack array ('' = no puts), how many drops; for each drop: kind
-- ('' = the stream), upto, how many ids (-1 = the kind), ids; for each put: at|expires|body.
-- Returns 1 and the version, then, if there are puts, the seq before the first new record, and for each
-- put that was known its number (from 0) and its seq; new ones follow that seq in their order. A token
-- that comes again has -1 there, and names all that are still there.
-- Or 0 and the version found where another was expected.
-- Lua hashes every byte of a string it makes, so no more are made of a body than must be.
local life, expect, reach, token = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local birth, expiring = ARGV[6], ARGV[7] == '1'
local names = ARGV[8] ~= '' and cmsgpack.unpack(ARGV[8]) or {}
local drops = {}
local p = 10
local everything = false
for i = 1, tonumber(ARGV[9]) do
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
local puts = #names / 2
local GRACE = 3600000 -- milliseconds by which clocks may differ

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

-- The fields of some puts.
local function fields_of(first, last)
  local fields = {}
  for i = first, last do fields[i - first + 1] = names[2 * i - 1] .. '\0' .. names[2 * i] end
  return fields
end

-- Where a record was it stays, unless its own time is over; what was known is added to `answer`.
local function put(stream, mortal, first, last, answer)
  local fields, sets, adds, n = fields_of(first, last), {}, {}, 0
  local found = stream.q > 0 and redis.call('HMGET', h, unpack(fields)) or {}
  for i = 1, #fields do
    local field, old, number = fields[i], found[i], first + i - 2
    if old and mortal and dead(expiry(old)) then
      remove(field, old)
      old = false
    end
    local seq
    if old then
      seq = place(old)
      answer[#answer + 1] = number
      answer[#answer + 1] = tonumber(seq)
    else
      stream.q = stream.q + 1
      seq = pad(stream.q)
    end
    local record = seq .. '|' .. ARGV[p + number]
    sets[2 * i - 1], sets[2 * i] = field, record
    if old and (mortal or expiring) and expiry(old) ~= expiry(record) then
      redis.call('ZREM', z, members(field, old))
      old = false
    end
    if not old then
      adds[n + 1], adds[n + 2] = '0', names[2 * number + 1] .. '\0' .. seq .. '\0' .. names[2 * number + 2]
      n = n + 2
      local ended = expiring and due(field, record)
      if ended then adds[n + 1], adds[n + 2], n = '0', ended, n + 2 end
    end
  end
  redis.call('HSET', h, unpack(sets))
  if n > 0 then redis.call('ZADD', z, unpack(adds)) end
end

-- The same ttl never shortens a life, however far behind the writer's clock is.
local function following(old)
  if life == 'keep' then return old end
  if life == '' or old == '' then return life end
  local ends, ttl = lifetime(life)
  local old_ends, old_ttl = lifetime(old)
  if old_ends <= ends or (old_ttl and old_ttl ~= ttl) then return life end
  return string.sub(old, 1, (string.find(old, ' ', 1, true) or #old + 1) - 1) .. ' ' .. ttl
end

-- The server's own clock only reclaims, an hour later than the caller's clock decides.
local function reclaim(old, expires)
  if expires ~= '' then
    local left = math.min(math.max(math.ceil((lifetime(expires) - now) * 1000), 0), 2 ^ 50) + GRACE
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, string.format('%.0f', left)) end
  elseif old ~= '' then
    for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
  end
end

local stream = live()
if stream and token ~= '' and stream.t == token then
  local answer, n = { 1, stream.w }, 0
  if puts > 0 then answer[3] = -1 end
  each(fields_of(1, puts), function(_, record)
    if record then
      answer[#answer + 1] = n
      answer[#answer + 1] = tonumber(place(record))
    end
    n = n + 1
  end)
  return answer
end
local current = stream and stream.v or 0
local beyond = expect ~= '' and current - tonumber(expect) or 0
if beyond < 0 or beyond > reach then return { 0, current } end
if not stream and puts == 0 then return { 1, 0 } end

local old = stream and stream.e or ''
local expires = following(old)
if stream and puts == 0 and #drops == 0 then
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
  if puts == 0 then return { 1, 0 } end
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
if puts > 0 then answer[3] = stream.q end
for first = 1, puts, CHUNK do put(stream, mortal, first, math.min(first + CHUNK - 1, puts), answer) end
redis.call('HSET', h, 'v', string.format('%.0f', stream.v), 'q', string.format('%.0f', stream.q), 'e', expires,
  't', stream.t, 'w', string.format('%.0f', stream.w))
reclaim(old, expires)
return answer
