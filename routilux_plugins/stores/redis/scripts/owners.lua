local owners, known = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'claims', '(' .. exact(now()), '+inf')) do
    local owner = redis.call('HGET', job(id), 'owner')
    if not known[owner] then
        known[owner] = true
        owners[#owners + 1] = owner
    end
end
return owners
