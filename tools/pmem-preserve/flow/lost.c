// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/lost.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "flow/place.h"
#include "image/image.h"
#include "reboot/expected.h"
#include "reboot/notes.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was found in the place of the checkpoint. */
struct finding {
	bool is_restored;  /* it is there, and was restored */
	bool may_be_there; /* but cannot be read */
	char why[1024];
};

static bool has_memmap(void)
{
	_cleanup_free_ char *cmdline = NULL;
	const char *memmap;

	if (sysfs_read_text(-1, "/proc/cmdline", &cmdline) < 0)
		return false;
	memmap = strstr(cmdline, "memmap=");
	return memmap && strchr(memmap, '!');
}

static void explain_no_region(const char *name, struct finding *finding)
{
	finding->may_be_there = true;
	if (!sysfs_exists(-1, "/sys/bus/nd"))
		snprintf(finding->why, sizeof(finding->why),
			 "this kernel has no driver for persistent memory (libnvdimm), or has not loaded it");
	else if (has_memmap())
		snprintf(finding->why, sizeof(finding->why),
			 "there is no %.64s, although this kernel was given a memmap=: is the module nd_e820 loaded? (see dmesg)",
			 name);
	else
		snprintf(finding->why, sizeof(finding->why),
			 "there is no %.64s: this kernel was started without memmap=, or the NVDIMM is gone or has no driver (nfit)",
			 name);
}

static void explain_image(const struct expected *expected, const struct place *place,
			  struct finding *finding)
{
	struct image_header header;
	int r = place_read_header(place, &header);

	if (r == -E_NO_CHECKPOINT) {
		snprintf(finding->why, sizeof(finding->why),
			 "%s holds no checkpoint: it was erased or overwritten, or the power failed",
			 place_name(place));
	} else if (r < 0) {
		finding->may_be_there = true;
		snprintf(finding->why, sizeof(finding->why), "%s", report_last_error());
	} else if (expected_is(expected, header.uuid) && header.phase == IMAGE_PHASE_RESTORED) {
		finding->is_restored = true;
	} else if (expected_is(expected, header.uuid)) {
		snprintf(finding->why, sizeof(finding->why),
			 "it was not finished when the machine went down");
	} else {
		snprintf(finding->why, sizeof(finding->why), "%s holds another one (%s, %s)",
			 place_name(place), image_phase_name(header.phase),
			 time_text(header.created_ns).text);
	}
}

static void explain_region(const struct expected *expected, struct finding *finding)
{
	_cleanup_free_ struct region *regions = NULL;
	struct place place = { .is_region = true };
	size_t count = 0, i = 0;

	if (region_list(&regions, &count) < 0) {
		finding->may_be_there = true;
		snprintf(finding->why, sizeof(finding->why), "%s", report_last_error());
		return;
	}
	while (i < count && !region_has_name(&regions[i], expected->place))
		i++;
	if (i == count) {
		explain_no_region(expected->place, finding);
		return;
	}
	place.region = regions[i];
	place_update(&place);
	if (place.path[0]) {
		explain_image(expected, &place, finding);
		return;
	}
	finding->may_be_there = place.region.state != REGION_RAM;
	snprintf(finding->why, sizeof(finding->why), "%s is %s%s%s", place.region.name,
		 place.region.state == REGION_RAM ? "in use as RAM"
						  : region_state_name(place.region.state),
		 place.region.why[0] ? ": " : "", place.region.why);
}

static void explain_file(const struct expected *expected, struct finding *finding)
{
	struct place place = { .is_region = false };
	char directory[PATH_MAX];

	snprintf(place.path, sizeof(place.path), "%s", expected->place);
	snprintf(directory, sizeof(directory), "%s", expected->place);
	if (access(place.path, F_OK) == 0) {
		explain_image(expected, &place, finding);
		return;
	}
	finding->may_be_there = errno != ENOENT || access(dirname(directory), F_OK) < 0;
	snprintf(finding->why, sizeof(finding->why),
		 finding->may_be_there ? "%s: %s; is its file system mounted?" : "%s: %s",
		 expected->place, strerror(errno));
}

static void explain(const struct expected *expected, struct finding *finding)
{
	if (*expected->reason)
		snprintf(finding->why, sizeof(finding->why), "%s", expected->reason);
	else if (expected->place[0] == '/')
		explain_file(expected, finding);
	else
		explain_region(expected, finding);
}

/* -E_DAMAGED, reported. @instead: what else there is to say, or "". */
static int report(const struct expected *expected, const struct finding *finding,
		  const char *instead, const char **ret_outcome)
{
	*ret_outcome = finding->may_be_there ? BOOT_UNREACHABLE : BOOT_LOST;
	if (*expected->reason)
		return report_error(-E_DAMAGED,
				    "the state is lost: the last shutdown could not save it: %s%s",
				    finding->why, instead);
	return report_error(-E_DAMAGED,
			    "the state was saved to %s (checkpoint %.13s) and is %s: %s%s%s",
			    expected->place, expected->uuid,
			    finding->may_be_there ? "not reachable" : "lost", finding->why,
			    expected->by_kexec && !expected->is_cmdline
				    ? "; this kernel was not started by that kexec"
				    : "",
			    instead);
}

int lost_report(const struct expected *expected, const char **ret_outcome)
{
	struct finding finding = { 0 };

	explain(expected, &finding);
	if (!finding.is_restored)
		return report(expected, &finding, "", ret_outcome);
	expected_settle();
	return 0;
}

int lost_refuse_older(const struct expected *expected, const struct place *place,
		      const char **ret_outcome)
{
	struct finding finding = { 0 };
	struct image_header header;
	char instead[400];

	if (!*expected->uuid || place_read_header(place, &header) < 0 ||
	    header.phase != IMAGE_PHASE_COMMITTED || expected_is(expected, header.uuid) ||
	    header.generation >= expected->generation)
		return 0;
	explain(expected, &finding);
	if (finding.is_restored)
		return 0;
	snprintf(instead, sizeof(instead),
		 "; %.200s holds an older one, of %s, which \"pmem-preserve restore\" restores",
		 place_name(place), time_text(header.created_ns).text);
	return report(expected, &finding, instead, ret_outcome);
}

void lost_settle(const struct where *where, const struct image_header *header)
{
	struct expected expected;

	if (expected_read(&expected) && (!where->image || expected_is(&expected, header->uuid)))
		expected_settle();
}
