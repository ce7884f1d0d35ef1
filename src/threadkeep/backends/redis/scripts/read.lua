-- Pages of one stream, all of one moment.
-- ARGV: now, then for each query: kind, limit (-1 = all), newest (1 or 0), after, before, how many ids
-- (-1 = a range), ids. Returns the version (0 = no live stream), then for each query
-- id and record in turn, joined by \0, which neither holds: one long reply is read faster than many.
local stream = live()
if not stream then return { 0 } end
heal()

local function range(kind, limit, newest, after, before)
  local low = after ~= '' and '(' .. kind .. '\0' .. after .. '\1' or '[' .. kind .. '\0'
  local high = before ~= '' and '(' .. kind .. '\0' .. before or '(' .. kind .. '\1'
  local found = {}
  while limit > 0 do
    local count = math.min(limit, CHUNK)
    local places
    if newest then
      places = redis.call('ZREVRANGEBYLEX', z, high, low, 'LIMIT', 0, count)
    else
      places = redis.call('ZRANGEBYLEX', z, low, high, 'LIMIT', 0, count)
    end
    if #places == 0 then break end
    local fields = {}
    for i = 1, #places do fields[i] = kind .. '\0' .. string.sub(places[i], #kind + 18) end
    each(fields, function(field, record)
      if record and not dead(expiry(record)) then
        found[#found + 1] = string.sub(field, #kind + 2)
        found[#found + 1] = record
        limit = limit - 1
      end
    end)
    if newest then high = '(' .. places[#places] else low = '(' .. places[#places] end
  end
  return found
end

local function chosen(kind, limit, newest, after, before, ids)
  local fields, found = {}, {}
  for i = 1, #ids do fields[i] = kind .. '\0' .. ids[i] end
  each(fields, function(field, record)
    if not record or dead(expiry(record)) then return end
    local seq = place(record)
    if (after == '' or seq > after) and (before == '' or seq < before) then
      found[#found + 1] = { string.sub(field, #kind + 2), record }
    end
  end)
  table.sort(found, function(one, other)
    if newest then one, other = other, one end
    return place(one[2]) < place(other[2])
  end)
  local flat = {}
  for i = 1, math.min(limit, #found) do
    flat[#flat + 1] = found[i][1]
    flat[#flat + 1] = found[i][2]
  end
  return flat
end

local function joined(found) return table.concat(found, '\0') end

local answer = { stream.v }
local p = 2
while p <= #ARGV do
  local kind, limit, newest = ARGV[p], tonumber(ARGV[p + 1]), ARGV[p + 2] == '1'
  local after, before, count = ARGV[p + 3], ARGV[p + 4], tonumber(ARGV[p + 5])
  p = p + 6
  if limit < 0 then limit = math.huge end
  if count < 0 then
    answer[#answer + 1] = joined(range(kind, limit, newest, after, before))
  else
    local ids = {}
    for i = 1, count do ids[i] = ARGV[p + i - 1] end
    p = p + count
    answer[#answer + 1] = joined(chosen(kind, limit, newest, after, before, ids))
  end
end
return answer
