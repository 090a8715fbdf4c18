// SPDX-License-Identifier: GPL-2.0-or-later
/* Compiled with -mavx2. */
#define DIGEST_CODE image_digest_avx2
#include "image/image-digest-code.h"

