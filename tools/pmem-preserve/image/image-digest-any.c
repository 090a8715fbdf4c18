// SPDX-License-Identifier: GPL-2.0-or-later
#define DIGEST_CODE image_digest_any
#include "image/image-digest-code.h"

