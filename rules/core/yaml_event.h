/* What one event of libyaml says of how its node is written, and where yaml.v2 reads the same text
 * otherwise. Private to the YAML reader (yaml.h). Pure, any thread.
 */
#ifndef LG_RULES_CORE_YAML_EVENT_H
#define LG_RULES_CORE_YAML_EVENT_H

#include <yaml.h>

#include "rules/core/yaml.h"
#include "rules/core/yaml_text.h"

/* What is wrong with a scalar to yaml.v2, which libyaml took (static storage), or NULL. `at` is its
 * first character, `in_flow` that it stands in brackets. */
const char *lg_yaml_scalar_wrong(const struct lg_yaml_text *text, struct lg_yaml_cursor at,
                                 const yaml_event_t *event, bool in_flow);

/* Of a scalar: that it is "<<", and may be merged as a key; how it is written. */
bool lg_yaml_is_merge_key(const yaml_event_t *event);
enum lg_yaml_style lg_yaml_style_of(const yaml_event_t *event);

/* Of a list's or an object's beginning: that it is written in brackets. */
bool lg_yaml_is_flow(const yaml_event_t *event);

#endif
