-- Pages of one stream, all of one moment.
-- ARGV: now, then for each query: kind, limit (-1 = all), newest (1 or 0), after, before, how many ids
-- (-1 = a range), ids. Returns the version (0 = no live stream), then for each query a list: the ids,
-- joined by \0, and the records; Lua would copy those several times to join them.
local stream = live()
if not stream then return { 0 } end
local mortal = heal()

local function range(kind, limit, newest, after, before)
  local low = after ~= '' and '(' .. kind .. '\0' .. after .. '\1' or '[' .. kind .. '\0'
  local high = before ~= '' and '(' .. kind .. '\0' .. before or '(' .. kind .. '\1'
  local begin, behind = kind .. '\0', #kind + 18
  local ids, found, n = {}, { '' }, 0
  while n < limit do
    local count = math.min(limit - n, CHUNK)
    local places
    if newest then
      places = redis.call('ZREVRANGEBYLEX', z, high, low, 'LIMIT', 0, count)
    else
      places = redis.call('ZRANGEBYLEX', z, low, high, 'LIMIT', 0, count)
    end
    if #places == 0 then break end
    local own, fields = {}, {}
    for i = 1, #places do
      own[i] = string.sub(places[i], behind)
      fields[i] = begin .. own[i]
    end
    local records = redis.call('HMGET', h, unpack(fields))
    for i = 1, #places do
      local record = records[i]
      if record and not (mortal and dead(expiry(record))) then
        n = n + 1
        ids[n], found[n + 1] = own[i], record
      end
    end
    if newest then high = '(' .. places[#places] else low = '(' .. places[#places] end
  end
  found[1] = table.concat(ids, '\0')
  return found
end

local function chosen(kind, limit, newest, after, before, ids)
  local fields, rows = {}, {}
  for i = 1, #ids do fields[i] = kind .. '\0' .. ids[i] end
  each(fields, function(field, record)
    if not record or (mortal and dead(expiry(record))) then return end
    local seq = place(record)
    if (after == '' or seq > after) and (before == '' or seq < before) then
      rows[#rows + 1] = { string.sub(field, #kind + 2), record }
    end
  end)
  table.sort(rows, function(one, other)
    if newest then one, other = other, one end
    return place(one[2]) < place(other[2])
  end)
  local own, found = {}, { '' }
  for i = 1, math.min(limit, #rows) do own[i], found[i + 1] = rows[i][1], rows[i][2] end
  found[1] = table.concat(own, '\0')
  return found
end

local answer = { stream.v }
local p = 2
while p <= #ARGV do
  local kind, limit, newest = ARGV[p], tonumber(ARGV[p + 1]), ARGV[p + 2] == '1'
  local after, before, count = ARGV[p + 3], ARGV[p + 4], tonumber(ARGV[p + 5])
  p = p + 6
  if limit < 0 then limit = math.huge end
  if count < 0 then
    answer[#answer + 1] = range(kind, limit, newest, after, before)
  else
    local ids = {}
    for i = 1, count do ids[i] = ARGV[p + i - 1] end
    p = p + count
    answer[#answer + 1] = chosen(kind, limit, newest, after, before, ids)
  end
end
return answer
