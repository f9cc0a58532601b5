-- What all scripts begin with. ARGV[1] is the prefix of all keys.
--
-- job:<id>                  hash: what is known of a job, with its last snapshot
-- entries:<id>              stream: its entries; the id of each is the number of its last fact
-- requests:<id>, known:<id> hash of the requests that wait, set of the ids of all that ever came
-- status:<status>, flow:<status>:<flow>, free
--                           places of jobs, which order as their ages do; `free` has those to be taken up
-- claims, asked             jobs with an owner, by the end of the claim; jobs with requests
-- document:<flow>, saved, uses
--                           documents of flows, when they were saved, how many jobs have each
local prefix = ARGV[1]
local FINAL = {completed = true, failed = true, cancelled = true}
local ACTIVE = {pending = true, running = true}
local CREATED = 4 -- the part of what is said about a job that says when it was made

local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function exact(number)
    return string.format('%.17g', number)
end

local function job(id)
    return prefix .. 'job:' .. id
end

-- The name of a flow's version, of which no two are the same.
local function version(flow, fingerprint)
    return #fingerprint .. ':' .. fingerprint .. flow
end

local function use(flow, fingerprint, by)
    local name = version(flow, fingerprint)
    if redis.call('HINCRBY', prefix .. 'uses', name, by) <= 0 then
        redis.call('HDEL', prefix .. 'uses', name)
    end
end

local function list(flow, status, place)
    redis.call('ZADD', prefix .. 'status:' .. status, 0, place)
    redis.call('ZADD', prefix .. 'flow:' .. status .. ':' .. flow, 0, place)
end

local function unlist(flow, status, place)
    redis.call('ZREM', prefix .. 'status:' .. status, place)
    redis.call('ZREM', prefix .. 'flow:' .. status .. ':' .. flow, place)
    redis.call('ZREM', prefix .. 'free', place)
end

-- Let `free` and `claims` say what the job says.
local function settle(id)
    local found = redis.call('HMGET', job(id), 'status', 'note', 'place', 'owner', 'until')
    local status, note, place, owner = found[1], found[2], found[3], found[4]
    if ACTIVE[status] and note == '' and not owner then
        redis.call('ZADD', prefix .. 'free', 0, place)
    else
        redis.call('ZREM', prefix .. 'free', place)
    end
    if owner then
        redis.call('ZADD', prefix .. 'claims', found[5], id)
    else
        redis.call('ZREM', prefix .. 'claims', id)
    end
end

-- What is said about a job: texts, each with its length before it.
local function parts(about)
    local found, at = {}, 1
    while at <= #about do
        local colon = string.find(about, ':', at, true)
        local size = tonumber(string.sub(about, at, colon - 1))
        found[#found + 1] = string.sub(about, colon + 1, colon + size)
        at = colon + size + 1
    end
    return found
end

-- Keep what is said about a job.
local function change(id, about)
    local old = redis.call('HMGET', job(id), 'flow', 'fingerprint', 'status', 'place')
    local flow, fingerprint, status, created, note, place = unpack(parts(about))
    redis.call('HSET', job(id), 'about', about, 'flow', flow, 'fingerprint', fingerprint, 'status', status,
        'created', created, 'note', note, 'place', place)
    if flow ~= old[1] or status ~= old[3] or place ~= old[4] then
        if old[1] then
            unlist(old[1], old[3], old[4])
        end
        list(flow, status, place)
    end
    use(flow, fingerprint, 1)
    if old[1] then
        use(old[1], old[2], -1)
    end
    settle(id)
end

local function grant(id, owner, seconds)
    local epoch = redis.call('HINCRBY', job(id), 'epoch', 1)
    redis.call('HSET', job(id), 'owner', owner, 'until', exact(now() + tonumber(seconds)))
    settle(id)
    return epoch
end

-- Who has a claim that has not ended.
local function holder(id)
    local found = redis.call('HMGET', job(id), 'owner', 'until')
    return found[1] and tonumber(found[2]) > now() and found[1]
end

-- Whether the claim that begins at that argument is the present one.
local function present(at)
    local found = redis.call('HMGET', job(ARGV[at]), 'owner', 'epoch')
    return found[1] == ARGV[at + 1] and found[2] == ARGV[at + 2]
end

local function forget(id)
    local found = redis.call('HMGET', job(id), 'flow', 'fingerprint', 'status', 'place')
    unlist(found[1], found[3], found[4])
    use(found[1], found[2], -1)
    redis.call('ZREM', prefix .. 'claims', id)
    redis.call('SREM', prefix .. 'asked', id)
    redis.call('UNLINK', job(id), prefix .. 'entries:' .. id, prefix .. 'requests:' .. id, prefix .. 'known:' .. id)
end
