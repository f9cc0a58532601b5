-- before, ids; how many of these were forgotten comes back
local pruned = 0
for at = 3, #ARGV do
    local found = redis.call('HMGET', job(ARGV[at]), 'status', 'updated')
    if FINAL[found[1]] and tonumber(found[2]) < tonumber(ARGV[2]) then
        forget(ARGV[at])
        pruned = pruned + 1
    end
end
return pruned
