/* A YAML scalar as Go's JSON text. Private to the YAML reader (yaml.h).
 *
 * Implements the conversions of sigs.k8s.io/yaml and encoding/json: a key's text, a value's JSON.
 * Pure functions, any thread.
 */
#ifndef LG_RULES_CORE_YAML_PUT_H
#define LG_RULES_CORE_YAML_PUT_H

#include "rules/core/yaml_scalar.h"

/* Appends the scalar as a JSON value, or as a member's name (a JSON string). Returns NULL, or what
 * is wrong (static storage). */
const char *lg_yaml_put_value(struct lg_buf *buf, const struct lg_yaml_scalar *scalar)
    __attribute__((warn_unused_result));
const char *lg_yaml_put_key(struct lg_buf *buf, const struct lg_yaml_scalar *scalar)
    __attribute__((warn_unused_result));

#endif
