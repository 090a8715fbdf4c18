/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to the fields of an image, each by its role. Sizes stay; digests become wrong. Must not
 * know of areas and how they move (mutate.c).
 */
#ifndef PMEM_PRESERVE_CHANGE_H
#define PMEM_PRESERVE_CHANGE_H

#include "random.h"
#include "survey.h"

/* Changes one place of @image, chosen by chance. */
void change_place(uint8_t *image, size_t size, const struct survey *survey, struct random *random);

/* Puts something of @other where something with the same role is in @image. */
void change_by_other(uint8_t *image, const struct survey *survey, const uint8_t *other,
		     const struct survey *other_survey, struct random *random);

/* Any place with @role; NULL: there is none. */
const struct place *any_place(const struct survey *survey, enum role role, struct random *random);

#endif
