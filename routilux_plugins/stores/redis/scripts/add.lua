-- id, about, updated, last, has snapshot, its number, its content; first, last and content of each entry
local id = ARGV[2]
if redis.call('EXISTS', job(id)) == 1 then
    return 0
end
redis.call('HSET', job(id), 'updated', ARGV[4], 'last', ARGV[5], 'epoch', 0, 'until', 0)
change(id, ARGV[3])
if ARGV[6] == '1' then
    redis.call('HSET', job(id), 'number', ARGV[7], 'snapshot', ARGV[8])
end
for at = 9, #ARGV, 3 do
    redis.call('XADD', prefix .. 'entries:' .. id, ARGV[at + 1] .. '-0', 'f', ARGV[at], 'c', ARGV[at + 2])
end
return 1
