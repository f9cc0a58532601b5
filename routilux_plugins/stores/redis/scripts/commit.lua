-- Of each job: id, owner, epoch, about, updated, shape; then first, last and content of each entry, number and
-- content of the snapshot, the ids of the answered requests. About is what seldom changes, as one text; shape is
-- how many entries, snapshots and requests there are, and 1 if the entries go on from one to the next.
-- First everything is looked at, as `Commit.standing` has it, then everything is written.
local lost, fresh, at = {}, {}, 2
while at <= #ARGV do
    local id, first = ARGV[at], at + 6
    local count, snapshots, answers, chained = string.match(ARGV[at + 5], '(%d+) (%d+) (%d+) (%d)')
    count, snapshots, answers = tonumber(count), tonumber(snapshots), tonumber(answers)
    local found = redis.call('HMGET', job(id), 'owner', 'epoch', 'last', 'status', 'about')
    local last = tonumber(found[3])
    if found[1] ~= ARGV[at + 1] or found[2] ~= ARGV[at + 2] then
        lost[#lost + 1] = id
    elseif count > 0 and tonumber(ARGV[first + 3 * count - 2]) <= last then
        last = nil -- it was written already
    elseif FINAL[found[4]] then
        local same = found[5] == ARGV[at + 3] and redis.call('HGET', job(id), 'updated') == ARGV[at + 4]
        if count > 0 or not same then
            lost[#lost + 1] = id
        end
    elseif count > 0 and (chained ~= '1' or tonumber(ARGV[first]) ~= last + 1) then
        return {'astray', id, found[3]}
    else
        fresh[#fresh + 1] = {at, count, snapshots, answers, found[3], found[5]}
    end
    at = first + 3 * count + 2 * snapshots + answers
end

for _, one in ipairs(fresh) do
    local start, count, snapshots, answers, last, about = unpack(one)
    local id, step = ARGV[start], start + 6
    for _ = 1, count do
        last = ARGV[step + 1]
        redis.call('XADD', prefix .. 'entries:' .. id, last .. '-0', 'f', ARGV[step], 'c', ARGV[step + 2])
        step = step + 3
    end
    redis.call('HSET', job(id), 'updated', ARGV[start + 4], 'last', last)
    if about ~= ARGV[start + 3] then
        change(id, ARGV[start + 3])
    end
    if snapshots > 0 then
        redis.call('HSET', job(id), 'number', ARGV[step], 'snapshot', ARGV[step + 1])
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
