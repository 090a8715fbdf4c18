#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Adds data to both services, which depends on $1.
set -eu
redis-cli eval 'for i = 1, 20000 do
	redis.call("set", "key-" .. ARGV[1] .. "-" .. i, string.rep("x", 900) .. i)
end' 0 "$1" >/dev/null
redis-cli set "round-$1" "$1" >/dev/null
su postgres -c "psql -q -v ON_ERROR_STOP=1" <<END
create extension if not exists amcheck;
create table if not exists ledger (id serial primary key, round int, text text);
insert into ledger (round, text)
	select $1, md5(i::text) || repeat('x', 200) from generate_series(1, 20000) i;
END
