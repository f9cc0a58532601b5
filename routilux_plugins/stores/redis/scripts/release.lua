-- id, owner and epoch of each claim
for at = 2, #ARGV, 3 do
    if present(at) then
        redis.call('HDEL', job(ARGV[at]), 'owner')
        redis.call('HSET', job(ARGV[at]), 'until', 0)
        settle(ARGV[at])
    end
end
return 0
