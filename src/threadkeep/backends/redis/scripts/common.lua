-- What all scripts share. A stream is two keys of one slot:
--   h  hash: v version, q last seq, e when it expires and after a blank the ttl that led to it ('' = never),
--      t token, w the version it made; and kind\0id -> seq|at|expires|body
--   z  sorted set, all scores 0: kind\0seq\0id, with seq as 15 digits, so that one index serves every kind;
--      and before those \0when\0kind\0id of each record that expires by itself, for sweeps
local h, z = KEYS[1], KEYS[2]
local now = tonumber(ARGV[1])
local OWN = 5 -- fields of h that are no records
local CHUNK = 1000 -- values unpacked at once; Lua's stack holds about 8,000

local function pad(seq) return string.format('%015d', seq) end

local function place(record) return string.sub(record, 1, 15) end

-- Found by steps, since a pattern would cost half of a read.
local function expiry(record)
  local first = string.find(record, '|', 17, true) + 1
  if string.byte(record, first) == 124 then return '' end
  return string.sub(record, first, string.find(record, '|', first, true) - 1)
end

-- A time as text that sorts as it does.
local function when(time) return string.format('%020.6f', time) end

local function dead(expires) return expires ~= '' and tonumber(expires) <= now end

-- When a stream expires, as a number, and its ttl; of one stored long ago only the first is known.
local function lifetime(stored)
  local blank = string.find(stored, ' ', 1, true)
  if not blank then return tonumber(stored), nil end
  return tonumber(string.sub(stored, 1, blank - 1)), string.sub(stored, blank + 1)
end

local function ended(stored) return stored ~= '' and lifetime(stored) <= now end

-- The stream as it is now; nil if there is none, or it has expired.
local function live()
  local m = redis.call('HMGET', h, 'v', 'q', 'e', 't', 'w')
  if not m[1] or ended(m[3]) then return nil end
  return { v = tonumber(m[1]), q = tonumber(m[2]), e = m[3], t = m[4], w = tonumber(m[5]) }
end

-- Calls visit(field, record) for fields of h, in their order; record is false where there is none.
local function each(fields, visit)
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    local found = redis.call('HMGET', h, unpack(fields, first, last))
    for i = 1, #found do visit(fields[first + i - 1], found[i]) end
  end
end

-- The kind and the id that a field is made of.
local function parts(field)
  local zero = string.find(field, '\0', 1, true)
  return string.sub(field, 1, zero - 1), string.sub(field, zero + 1)
end

-- The member of z for the end of a record; nil if it has none.
local function due(field, record)
  local expires = expiry(record)
  if expires ~= '' then return '\0' .. when(expires) .. '\0' .. field end
end

-- The members of z for a record: its place, and its end if it has one.
local function members(field, record)
  local kind, id = parts(field)
  local own, ended = kind .. '\0' .. place(record) .. '\0' .. id, due(field, record)
  if ended then return own, ended end
  return own
end

local function remove(field, record)
  redis.call('HDEL', h, field)
  redis.call('ZREM', z, members(field, record))
end

-- Eviction may take the index and leave the records: then it is made again.
-- Returns whether any record of the stream expires by itself, which none does as a rule.
local function heal()
  local missing = redis.call('HLEN', h) - OWN - redis.call('ZCARD', z)
  if missing == 0 then return false end
  if missing + redis.call('ZLEXCOUNT', z, '-', '(\1') == 0 then return true end
  redis.call('UNLINK', z)
  local records = {}
  for _, field in ipairs(redis.call('HKEYS', h)) do
    if #field > 1 then records[#records + 1] = field end
  end
  each(records, function(field, record)
    local own, due = members(field, record)
    redis.call('ZADD', z, 0, own)
    if due then redis.call('ZADD', z, 0, due) end
  end)
  local left = redis.call('PTTL', h)
  if left > 0 then redis.call('PEXPIRE', z, left) end
  return true
end
