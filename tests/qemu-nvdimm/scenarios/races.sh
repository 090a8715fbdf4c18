# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Files that are written while checkpoints are made: none is committed half old, half new. Kernels differ
# in when a write changes the times of a file (before 6.13, all within one tick look the same), and in
# what a lease sees.
#
# kernel: 6.1 6.12
# region: memmap
# memory: 2G
# cpus: 2
# timeout: 3600
# needs: pmem-preserve
# file: build/tests/image/races

tries=90
[ -z "$long" ] || tries=2000

mkdir /var/state/races
races -n $tries /usr/bin/pmem-preserve /var/state/races
note "$tries races"
