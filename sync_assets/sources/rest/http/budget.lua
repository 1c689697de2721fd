-- The usage of one account, for all machines: what `Usage` is for one, by the clock of Redis.
--
-- KEYS   sent (requests by the moment of their answer), flying (by their start), words
-- ARGV   what to do, id of the request, seconds of the longest window, then what it takes
-- book   of each window: requests, seconds; then how many are spared for others. Gives the seconds to wait, and 1 where it is a rest
-- heed   requests that are left, in so many seconds, requests in reserve, others in flight here
-- pause  seconds
-- free   of each window: requests, seconds. Gives how many there is room for, or '' without a limit

local sent, flying, words = KEYS[1], KEYS[2], KEYS[3]
local op, id, longest = ARGV[1], ARGV[2], tonumber(ARGV[3])
local LOST, SAME_END, KEEP = 120, 2, 3600

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6

local function text(number) return string.format('%.6f', number) end
local function word(name) return tonumber(redis.call('HGET', words, name) or '') end

redis.call('ZREMRANGEBYSCORE', sent, '-inf', text(now - longest))
redis.call('ZREMRANGEBYSCORE', flying, '-inf', text(now - LOST))
local left, left_until = word('left'), word('left_until')
if left and now >= left_until then
  redis.call('HDEL', words, 'left', 'left_until')
  left = nil
end

local function full_for()
  local wait = 0
  for i = 4, #ARGV - 1, 2 do
    local requests, seconds = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    local first = redis.call('ZREVRANGE', sent, requests - 1, requests - 1, 'WITHSCORES')
    if first[2] then wait = math.max(wait, tonumber(first[2]) + seconds - now) end
  end
  return wait
end

local function keep()
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, math.ceil(longest) + KEEP) end
end

if op == 'book' then
  local paused_until = word('paused_until') or 0
  if now < paused_until then return {text(paused_until - now), 1} end
  if left and left <= tonumber(ARGV[#ARGV]) then
    local wait = left_until - now
    return {text(wait), wait > longest and 1 or 0}
  end
  local wait = full_for()
  if wait > 0 then return {text(wait), 0} end
  if #ARGV > 4 then redis.call('ZADD', sent, text(now), id) end
  if left then redis.call('HINCRBY', words, 'left', -1) end
  redis.call('ZADD', flying, text(now), id)
  keep()
  return {'0', 0}
elseif op == 'answered' then
  redis.call('ZREM', flying, id)
  if longest > 0 then redis.call('ZADD', sent, text(now), id) end
  keep()
elseif op == 'heed' then
  local others = math.max(redis.call('ZCARD', flying), tonumber(ARGV[7])) - 1
  local may = math.max(0, tonumber(ARGV[4]) - math.max(0, others) - tonumber(ARGV[6]))
  local ends = now + tonumber(ARGV[5])
  if left and math.abs(ends - left_until) <= SAME_END then
    may, ends = math.min(left, may), math.max(left_until, ends)
  end
  redis.call('HSET', words, 'left', may, 'left_until', text(ends))
  keep()
elseif op == 'pause' then
  local ends = math.max(word('paused_until') or 0, now + tonumber(ARGV[4]))
  redis.call('HSET', words, 'paused_until', text(ends))
  keep()
elseif op == 'free' then
  local room = left
  for i = 4, #ARGV, 2 do
    local oldest = text(now - tonumber(ARGV[i + 1]))
    local free = tonumber(ARGV[i]) - redis.call('ZCOUNT', sent, '(' .. oldest, '+inf')
    room = room and math.min(room, free) or free
  end
  return room and tostring(math.max(0, room)) or ''
end
