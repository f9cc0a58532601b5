-- owner
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', prefix .. 'asked')) do
    if redis.call('HGET', job(id), 'owner') == ARGV[2] then
        found[#found + 1] = {id, redis.call('HGETALL', prefix .. 'requests:' .. id)}
    end
end
return found
