-- Of each job: id, owner, epoch, about, updated, shape; then first, last and content of each entry, number and
-- content of the snapshot, the ids of the answered requests. About is what seldom changes, as one text; shape is
-- how many entries, snapshots and requests there are, 1 if the entries go on from one to the next, 1 if the claim
-- is given up, and the seconds of a new job or a dash.
-- First everything is looked at, as `Commit.standing` has it, then everything is written.
local lost, fresh, at = {}, {}, 2
while at <= #ARGV do
    local id, owner, epoch, about, first = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], at + 6
    local count, snapshots, answers, chained, released, opens =
        string.match(ARGV[at + 5], '(%d+) (%d+) (%d+) (%d) (%d) (%S+)')
    count, snapshots, answers = tonumber(count), tonumber(snapshots), tonumber(answers)
    released, opens = released == '1', tonumber(opens)
    local found = redis.call('HMGET', job(id), 'owner', 'epoch', 'last', 'status', 'about')
    local last, over, afterwards, there = tonumber(found[3]), FINAL[found[4]], not released and owner, false
    if last and count > 0 then
        there = tonumber(ARGV[first + 3 * count - 2]) <= last
    elseif last then
        there = found[5] == about and redis.call('HGET', job(id), 'updated') == ARGV[at + 4]
    end
    local standing = 'new'
    if not last then
        standing = opens and 'new' or 'lost'
    elseif found[2] ~= epoch or (found[1] ~= owner and found[1] ~= afterwards) then
        standing = 'lost'
    elseif opens then
        local same = parts(found[5])[CREATED] == parts(about)[CREATED]
        standing = there and same and found[1] == afterwards and 'repeated' or 'lost'
    elseif not found[1] or (over and not there) then
        standing = there and 'repeated' or 'lost'
    elseif there and (count > 0 or (over and not released)) then
        standing = 'repeated'
    end
    if standing == 'lost' then
        lost[#lost + 1] = id
    elseif standing == 'new' then
        if count > 0 and (chained ~= '1' or (last and tonumber(ARGV[first]) ~= last + 1)) then
            return {'astray', id, found[3] or '0'}
        end
        fresh[#fresh + 1] = {at, count, snapshots, answers, opens or false, released, found[3], found[5]}
    end
    at = first + 3 * count + 2 * snapshots + answers
end

for _, one in ipairs(fresh) do
    local start, count, snapshots, answers, opens, released, last, about = unpack(one)
    local id, step = ARGV[start], start + 6
    if opens then
        redis.call('HSET', job(id), 'epoch', ARGV[start + 2], 'until', exact(now() + opens))
        last = snapshots > 0 and ARGV[step + 3 * count] or 0
    end
    if released then
        redis.call('HDEL', job(id), 'owner')
    elseif opens then
        redis.call('HSET', job(id), 'owner', ARGV[start + 1])
    end
    for _ = 1, count do
        last = ARGV[step + 1]
        redis.call('XADD', prefix .. 'entries:' .. id, last .. '-0', 'f', ARGV[step], 'c', ARGV[step + 2])
        step = step + 3
    end
    redis.call('HSET', job(id), 'updated', ARGV[start + 4], 'last', last)
    if about ~= ARGV[start + 3] then
        change(id, ARGV[start + 3])
    elseif released then
        settle(id)
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
