/* What a YAML scalar means to kubectl. Private to the YAML reader (yaml.h).
 *
 * Implements the resolution of gopkg.in/yaml.v2: YAML 1.1 words, Go's integers with base prefixes
 * and underscores, then its floats. Pure functions, any thread.
 */
#ifndef LG_RULES_CORE_YAML_SCALAR_H
#define LG_RULES_CORE_YAML_SCALAR_H

#include <stdint.h>

#include "rules/core/arena.h"

enum lg_yaml_kind {
    LG_YAML_STRING,
    LG_YAML_NULL,
    LG_YAML_BOOL,
    LG_YAML_INT,
    LG_YAML_UINT, /* an integer that only fits without a sign */
    LG_YAML_FLOAT,
    LG_YAML_TIME, /* a string but for the tag check */
};

struct lg_yaml_scalar {
    enum lg_yaml_kind kind;
    bool truth;
    int64_t i;
    uint64_t u;
    double f;
    struct lg_str text; /* of a string; borrowed from the input or the arena */
};

/* Resolves `value` with the long form of its tag (NULL = none); `plain` as libyaml's plain_implicit
 * says. Returns NULL, or what is wrong (static storage): a tag that the value does not fit, base64
 * that is none. */
const char *lg_yaml_resolve(struct lg_arena *arena, const char *tag, struct lg_str value,
                            bool plain, struct lg_yaml_scalar *ret)
    __attribute__((warn_unused_result));

#endif
