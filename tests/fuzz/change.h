/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to single fields of an image, by their roles. Sizes stay the same; digests become wrong. */
#ifndef PMEM_PRESERVE_CHANGE_H
#define PMEM_PRESERVE_CHANGE_H

#include "random.h"
#include "survey.h"

/* Changes one place in @image, chosen at random. */
void change_place(uint8_t *image, size_t size, const struct survey *survey, struct random *random);

/* Copies a place of @other to a place with the same role in @image. */
void change_by_other(uint8_t *image, const struct survey *survey, const uint8_t *other,
		     const struct survey *other_survey, struct random *random);

/* A random place with @role; NULL if there is none. */
const struct place *any_place(const struct survey *survey, enum role role, struct random *random);

#endif
