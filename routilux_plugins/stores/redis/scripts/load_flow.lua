-- flow, fingerprint
return redis.call('GET', prefix .. 'document:' .. version(ARGV[2], ARGV[3]))
