-- id, about, updated, last, is claimed, owner, seconds, has snapshot, its number, its content;
-- first, last and content of each entry
local id = ARGV[2]
if redis.call('EXISTS', job(id)) == 1 then
    return 0
end
redis.call('HSET', job(id), 'updated', ARGV[4], 'last', ARGV[5], 'epoch', 0, 'until', 0)
change(id, ARGV[3])
if ARGV[9] == '1' then
    redis.call('HSET', job(id), 'number', ARGV[10], 'snapshot', ARGV[11])
end
for at = 12, #ARGV, 3 do
    redis.call('XADD', prefix .. 'entries:' .. id, ARGV[at + 1] .. '-0', 'f', ARGV[at], 'c', ARGV[at + 2])
end
if ARGV[6] == '1' then
    grant(id, ARGV[7], ARGV[8])
end
return 1
