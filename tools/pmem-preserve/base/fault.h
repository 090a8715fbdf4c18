/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbered places before and after each change to the memory, the media and the files, where a test
 * build (-Dfault_points=true) can be made to fail as if the process, the machine or the device had
 * failed right there. In other builds they are nothing. 
 *
 *	PMEM_PRESERVE_FAULT=NAME[:N]=ACTION
 *
 * ACTION, the Nth time (1: the first) that NAME is reached: "kill", SIGKILL; "error", the error
 * -EIO; "stop", SIGSTOP, and on after SIGCONT: a test that waits for that may cut the power.
 *
 * The tests read this table. A number is never reused.
 */
#ifndef PMEM_PRESERVE_FAULT_H
#define PMEM_PRESERVE_FAULT_H

/* clang-format off */
#define FAULT_POINTS(POINT) \
	POINT(1, IMAGE_BEGIN, "the place is open for a new image, nothing is written") \
	POINT(2, IMAGE_MARKED, "its header says that an image is being written") \
	POINT(3, IMAGE_MIB, "a MiB was copied") \
	POINT(4, IMAGE_COPIED, "all of it was copied") \
	POINT(5, IMAGE_TABLE, "the digests are written") \
	POINT(6, IMAGE_HEADER, "the whole header is written, not flushed") \
	POINT(7, IMAGE_FLUSHED, "everything but the commit is flushed") \
	POINT(8, PHASE_WRITTEN, "the phase is written, not flushed") \
	POINT(9, PHASE_FLUSHED, "the phase is flushed") \
	POINT(10, FILE_LINKED, "the new file has a temporary name") \
	POINT(11, FILE_RENAMED, "the new file has its name, not flushed") \
	POINT(12, FILE_PUBLISHED, "the name is flushed") \
	POINT(20, RESTORE_BEGIN, "the image is open and checked, nothing is made") \
	POINT(21, RESTORE_DIRECTORIES, "the directories are made") \
	POINT(22, RESTORE_ENTRIES, "all that has no data is made") \
	POINT(23, RESTORE_SPAN, "2 MiB of data are written") \
	POINT(24, RESTORE_FILES, "all data is written, and the files have their attributes") \
	POINT(25, RESTORE_LINKS, "hard links are made") \
	POINT(26, RESTORE_ATTRIBUTES, "new directories have their attributes, nothing is flushed") \
	POINT(27, RESTORE_FLUSHED, "all is restored and flushed, the image not marked") \
	POINT(28, STAGING_REMOVE, "a staging directory is to be removed") \
	POINT(29, RESTORE_STAGED, "all is made and flushed in the staging directory") \
	POINT(90, PUBLISH_BEGIN, "directories that existed are closed, nothing is published") \
	POINT(91, PUBLISH_ENTRY, "an entry is in its place") \
	POINT(92, RESTORE_PUBLISHED, "all is in its place, not flushed") \
	POINT(30, ERASE_BEGIN, "a header is to be zeroed") \
	POINT(34, ERASE_COPY, "its copy is zeroed and flushed, the header is there") \
	POINT(31, ERASE_WRITTEN, "it is, not flushed") \
	POINT(32, ERASE_FLUSHED, "it is flushed") \
	POINT(33, FILE_REMOVED, "the file has no name any more, not flushed") \
	POINT(40, REMOVE_BEGIN, "the region is RAM, all of it online") \
	POINT(41, REMOVE_BLOCKS, "some blocks are offline") \
	POINT(42, REMOVE_OFFLINE, "all blocks are offline or gone, kmem is bound") \
	POINT(43, DAX_UNBOUND, "no driver is bound to the dax device") \
	POINT(44, REMOVE_DEVDAX, "the region is devdax and holds what was in the RAM") \
	POINT(50, RAW_BEGIN, "the region is devdax") \
	POINT(51, RAW_UNCLAIMED, "the claim is gone, the info block is there still") \
	POINT(52, RAW_FORCED, "the namespace is up as raw by force") \
	POINT(53, RAW_ZEROED, "the info block is gone") \
	POINT(54, RAW_DISABLED, "the namespace is down") \
	POINT(55, RAW_ENABLED, "the region is raw") \
	POINT(60, DEVDAX_BEGIN, "the region is raw") \
	POINT(61, DEVDAX_ZEROED, "what was written at its beginning is gone") \
	POINT(62, DEVDAX_DISABLED, "the namespace is down") \
	POINT(63, DEVDAX_CLAIMED, "the claim is made") \
	POINT(64, DEVDAX_BOUND, "the region is devdax") \
	POINT(70, ADD_BEGIN, "memory that is added comes online as movable") \
	POINT(71, ADD_BOUND, "kmem is bound, blocks may be offline") \
	POINT(72, ADD_POLICY, "memory that is added comes online as it did before") \
	POINT(73, ADD_ONLINE, "the region is RAM, all of it online") \
	POINT(80, KEXEC_LOADED, "the next kernel is loaded")
/* clang-format on */

#define FAULT_POINT_NUMBER(number, name, when) FAULT_##name = number,
enum fault_point { FAULT_POINTS(FAULT_POINT_NUMBER) };

#ifdef FAULT_POINTS_ENABLED
/* 0, or -EIO (reported) if the action at this point is an error. */
int fault(enum fault_point point);
#else
static inline int fault(enum fault_point point)
{
	return 0;
}
#endif

#endif
