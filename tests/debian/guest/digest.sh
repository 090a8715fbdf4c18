#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Digests of the data of both services, from the services themselves, on one line.
set -eu
# They may have just been started, and while redis loads its data, it answers with a part of it.
timeout 60 sh -c 'until redis-cli info persistence 2>&1 | grep -q "^loading:0"; do :; done'
timeout 60 sh -c 'until pg_isready -q; do :; done'
redis=$(redis-cli debug digest)
ledger=$(su postgres -c "psql -qAt" <<END
select count(*), md5(string_agg(id || ' ' || round || ' ' || text, ',' order by id)) from ledger;
END
)
echo "redis $(redis-cli dbsize) $redis ledger $ledger"
