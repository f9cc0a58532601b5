-- id, owner, seconds, dead owners
local id, owner = ARGV[2], ARGV[3]
local status = redis.call('HGET', job(id), 'status')
if not status then
    return {'unknown'}
end
if FINAL[status] then
    return {'final', status}
end
local other = holder(id)
local free = not other or other == owner
for at = 5, #ARGV do
    free = free or other == ARGV[at]
end
if not free then
    return {'held', other}
end
return {'granted', grant(id, owner, ARGV[4])}
