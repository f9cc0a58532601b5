-- seconds, then id, owner and epoch of each claim; the ids of the lost ones come back
local lost = {}
local till = exact(now() + tonumber(ARGV[2]))
for at = 3, #ARGV, 3 do
    if present(at) then
        redis.call('HSET', job(ARGV[at]), 'until', till)
        redis.call('ZADD', prefix .. 'claims', till, ARGV[at])
    else
        lost[#lost + 1] = ARGV[at]
    end
end
return lost
