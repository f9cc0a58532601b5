-- id, flow, fingerprint, status, created, updated, note, place, last, is claimed, owner, seconds,
-- has snapshot, its number, its content; first, last and content of each entry
local id = ARGV[2]
if redis.call('EXISTS', job(id)) == 1 then
    return 0
end
redis.call('HSET', job(id), 'flow', ARGV[3], 'fingerprint', ARGV[4], 'status', ARGV[5], 'created', ARGV[6],
    'updated', ARGV[7], 'note', ARGV[8], 'place', ARGV[9], 'last', ARGV[10], 'epoch', 0, 'until', 0)
if ARGV[14] == '1' then
    redis.call('HSET', job(id), 'number', ARGV[15], 'snapshot', ARGV[16])
end
for at = 17, #ARGV, 3 do
    redis.call('XADD', prefix .. 'entries:' .. id, ARGV[at + 1] .. '-0', 'f', ARGV[at], 'c', ARGV[at + 2])
end
list(ARGV[3], ARGV[5], ARGV[9])
use(ARGV[3], ARGV[4], 1)
if ARGV[11] == '1' then
    grant(id, ARGV[12], ARGV[13])
else
    settle(id)
end
return 1
