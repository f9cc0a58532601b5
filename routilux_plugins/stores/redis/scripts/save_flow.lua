-- flow, fingerprint, document
local name = version(ARGV[2], ARGV[3])
redis.call('SET', prefix .. 'document:' .. name, ARGV[4])
redis.call('ZADD', prefix .. 'saved', exact(now()), name)
return 0
