-- owner, seconds, limit, number of flows or -1 for all, flows, dead owners
local limit, count = tonumber(ARGV[4]), tonumber(ARGV[5])
local flows, dead, some = {}, {}, false
for at = 6, 5 + count do
    flows[ARGV[at]] = true
end
for at = 6 + math.max(count, 0), #ARGV do
    dead[ARGV[at]] = true
    some = true
end
local found = {}

local function consider(id)
    local values = redis.call('HMGET', job(id), 'status', 'note', 'flow', 'place')
    if not ACTIVE[values[1]] or values[2] ~= '' then
        return false
    end
    if count < 0 or flows[values[3]] then
        found[#found + 1] = {values[4], id}
    end
    return true
end

local time = exact(now())
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'claims', '-inf', time)) do
    if not consider(id) then
        redis.call('ZREM', prefix .. 'claims', id) -- until it is settled anew
    end
end
if some then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'claims', '(' .. time, '+inf')) do
        if dead[redis.call('HGET', job(id), 'owner')] then
            consider(id)
        end
    end
end
local from, claimed = 0, #found
while #found < claimed + limit do
    local places = redis.call('ZRANGE', prefix .. 'free', from, from + 99)
    for _, place in ipairs(places) do
        if #found < claimed + limit then
            consider(string.sub(place, 17))
        end
    end
    if #places < 100 then
        break
    end
    from = from + 100
end
table.sort(found, function(one, other) return one[1] < other[1] end)
local granted = {}
for at = 1, math.min(limit, #found) do
    local id = found[at][2]
    granted[at] = {id, grant(id, ARGV[2], ARGV[3])}
end
return granted
