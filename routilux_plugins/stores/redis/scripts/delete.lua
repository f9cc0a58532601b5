-- id
local status = redis.call('HGET', job(ARGV[2]), 'status')
if not status then
    return {'unknown'}
end
local other = holder(ARGV[2])
if other and not FINAL[status] then
    return {'held', other}
end
forget(ARGV[2])
return {'deleted'}
