#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The environment is from /run/pmem-preserve/boot.
set -eu
outcome=${PMEM_PRESERVE_OUTCOME:-unknown}
if [ "$outcome" != restored ]; then
	echo "cold start ($outcome): ${PMEM_PRESERVE_REASON:-}" | tee /run/cold-start
	cp -a /usr/share/state-template/. /var/state/
fi
