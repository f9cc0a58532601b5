-- the time before which they were saved
for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'saved', '-inf', '(' .. ARGV[2])) do
    if redis.call('HEXISTS', prefix .. 'uses', name) == 0 then
        redis.call('UNLINK', prefix .. 'document:' .. name)
        redis.call('ZREM', prefix .. 'saved', name)
    end
end
return 0
