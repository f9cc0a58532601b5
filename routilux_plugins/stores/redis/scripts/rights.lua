-- Which of the commands that the store uses this user may not run. Nothing of this is left.
local key, missing, failure = prefix .. 'rights:', {}, nil
local DENIED = {'The user executing the script', 'ACL failure', 'NOPERM', 'Unknown Redis command'}

local function may(command, ...)
    local answer = redis.pcall(command, ...)
    if type(answer) ~= 'table' or not answer.err then
        return true
    end
    for _, said in ipairs(DENIED) do
        if string.find(answer.err, said, 1, true) then
            missing[#missing + 1] = command
            return false
        end
    end
    failure = failure or answer
    return false
end

if not may('UNLINK', key .. 'text', key .. 'hash', key .. 'set', key .. 'sorted', key .. 'stream') then
    return failure or missing -- what would be made could not be removed
end
may('TIME')
may('SET', key .. 'text', '')
may('GET', key .. 'text')
may('EXISTS', key .. 'text')
may('HSET', key .. 'hash', 'field', 1)
may('HGET', key .. 'hash', 'field')
may('HMGET', key .. 'hash', 'field')
may('HGETALL', key .. 'hash')
may('HEXISTS', key .. 'hash', 'field')
may('HINCRBY', key .. 'hash', 'field', 1)
may('HDEL', key .. 'hash', 'field')
may('SADD', key .. 'set', 'member')
may('SISMEMBER', key .. 'set', 'member')
may('SMEMBERS', key .. 'set')
may('SREM', key .. 'set', 'member')
may('ZADD', key .. 'sorted', 0, 'member')
may('ZRANGE', key .. 'sorted', 0, 1)
may('ZRANGEBYSCORE', key .. 'sorted', '-inf', '+inf')
may('ZRANGEBYLEX', key .. 'sorted', '-', '+')
may('ZREVRANGEBYLEX', key .. 'sorted', '+', '-')
may('ZREM', key .. 'sorted', 'member')
may('XADD', key .. 'stream', '1-0', 'field', '')
may('XRANGE', key .. 'stream', '-', '+')
redis.call('UNLINK', key .. 'text', key .. 'hash', key .. 'set', key .. 'sorted', key .. 'stream')
return failure or missing
