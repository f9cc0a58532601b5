-- Of each job: id, owner, epoch, flow, fingerprint, status, created, updated, note, place, whether its entries
-- go on from one to the next, how many entries, how many snapshots, how many answered requests; then first, last
-- and content of each entry, number and content of the snapshot, the ids of the requests.
-- First everything is looked at, as `Commit.standing` has it, then everything is written.
local lost, fresh, at = {}, {}, 2
while at <= #ARGV do
    local id, count = ARGV[at], tonumber(ARGV[at + 11])
    local first = at + 14
    local found = redis.call('HMGET', job(id), 'owner', 'epoch', 'last', 'flow', 'fingerprint', 'status', 'created',
        'updated', 'note', 'place')
    local last = tonumber(found[3])
    if found[1] ~= ARGV[at + 1] or found[2] ~= ARGV[at + 2] then
        lost[#lost + 1] = id
    elseif count > 0 and tonumber(ARGV[first + 3 * count - 2]) <= last then
        last = nil -- it was written already
    elseif FINAL[found[6]] then
        local same = count == 0
        for field = 4, 9 do
            same = same and found[field] == ARGV[at + field - 1]
        end
        if not same then
            lost[#lost + 1] = id
        end
    elseif count > 0 and (ARGV[at + 10] ~= '1' or tonumber(ARGV[first]) ~= last + 1) then
        return {'astray', id, found[3]}
    else
        fresh[#fresh + 1] = {at, found}
    end
    at = first + 3 * count + 2 * tonumber(ARGV[at + 12]) + tonumber(ARGV[at + 13])
end

for _, one in ipairs(fresh) do
    local start, found = one[1], one[2]
    local id, key = ARGV[start], job(ARGV[start])
    local count, snapshots, answers = tonumber(ARGV[start + 11]), tonumber(ARGV[start + 12]), tonumber(ARGV[start + 13])
    local step = start + 14
    for _ = 1, count do
        redis.call('XADD', prefix .. 'entries:' .. id, ARGV[step + 1] .. '-0', 'f', ARGV[step], 'c', ARGV[step + 2])
        step = step + 3
    end
    local last = count > 0 and ARGV[step - 2] or found[3]
    local changed, listed = false, false
    for field = 4, 10 do
        if found[field] ~= ARGV[start + field - 1] and field ~= 8 then
            changed = true
            listed = listed or field == 4 or field == 6 or field == 10
        end
    end
    if not changed then
        redis.call('HSET', key, 'updated', ARGV[start + 7], 'last', last)
    else
        redis.call('HSET', key, 'flow', ARGV[start + 3], 'fingerprint', ARGV[start + 4], 'status', ARGV[start + 5],
            'created', ARGV[start + 6], 'updated', ARGV[start + 7], 'note', ARGV[start + 8],
            'place', ARGV[start + 9], 'last', last)
        if listed then
            unlist(found[4], found[6], found[10])
            list(ARGV[start + 3], ARGV[start + 5], ARGV[start + 9])
        end
        use(ARGV[start + 3], ARGV[start + 4], 1)
        use(found[4], found[5], -1)
        settle(id)
    end
    if snapshots > 0 then
        redis.call('HSET', key, 'number', ARGV[step], 'snapshot', ARGV[step + 1])
        step = step + 2
    end
    for answer = step, step + answers - 1 do
        redis.call('HDEL', prefix .. 'requests:' .. id, ARGV[answer])
    end
    if answers > 0 and redis.call('EXISTS', prefix .. 'requests:' .. id) == 0 then
        redis.call('SREM', prefix .. 'asked', id)
    end
end
return {'written', unpack(lost)}
