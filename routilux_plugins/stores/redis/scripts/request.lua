-- id, request id, kind, content
local id, name = ARGV[2], ARGV[3]
local status = redis.call('HGET', job(id), 'status')
if not status then
    return 'unknown'
end
if redis.call('SISMEMBER', prefix .. 'known:' .. id, name) == 1 then
    return 'known'
end
if FINAL[status] then
    return status
end
local number = redis.call('HINCRBY', job(id), 'asked', 1)
redis.call('SADD', prefix .. 'known:' .. id, name)
redis.call('SADD', prefix .. 'asked', id)
redis.call('HSET', prefix .. 'requests:' .. id, name, number .. ':' .. #ARGV[4] .. ':' .. ARGV[4] .. ARGV[5])
return 'taken'
