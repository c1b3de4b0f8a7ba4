// The SDK and the generated bindings, as one unit: compile this file beside the module's.
//
// Generated code frees what it hands to the host, piece by piece, and asks for memory piece by piece. Here a call's memory
// goes as a whole, so `free` does nothing in it and `realloc` takes from the call's memory; results may then refer to
// literals and to what came in.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenter.h"

#include "src/memory.c"

#define free(ptr) ((void)(ptr))
#define realloc(ptr, size) tenter_grow(ptr, old_size, align, size)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunused-function"
#include "guest.c"
#pragma clang diagnostic pop
#undef free
#undef realloc

#include "src/json.c"
#include "src/values.c"
#include "src/registry.c"
#include "src/exports.c"
#include "src/cases.c"
#include "src/imports.c"
