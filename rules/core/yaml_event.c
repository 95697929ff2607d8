#include "rules/core/yaml_event.h"

#define MERGE_TAG "tag:yaml.org,2002:merge"

/* The one escape that libyaml knows and yaml.v2 does not. */
static bool has_escaped_slash(const char *p, const char *end)
{
    while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        if (p + 1 < end && p[1] == '/')
            return true;
        p += 2;
    }
    return false;
}

/* In brackets a question mark ends a plain scalar for yaml.v2 and belongs to it for libyaml. */
static bool has_question(const yaml_event_t *event)
{
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           memchr(event->data.scalar.value, '?', event->data.scalar.length) != NULL;
}

const char *lg_yaml_scalar_wrong(const struct lg_yaml_text *text, struct lg_yaml_cursor at,
                                 const yaml_event_t *event, bool in_flow)
{
    const char *from = at.p;
    bool quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    bool only_tag = event->data.scalar.tag != NULL && event->data.scalar.length == 0;
    if (quoted || only_tag)
        lg_yaml_move(text, &at, event->end_mark.index);
    if (quoted && has_escaped_slash(from, at.p))
        return "\\/ is no escape in YAML 1.1";
    if (in_flow && has_question(event))
        return "a question mark within brackets needs quotes in YAML 1.1";
    /* yaml.v2 counts a comma behind a tag as the tag's: what stands behind the comma would bear
     * it. */
    if (only_tag && at.p < text->text.p + text->text.n && *at.p == ',')
        return "a comma cannot follow a tag: YAML 1.1 counts it to the tag";
    return NULL;
}

bool lg_yaml_is_merge_key(const yaml_event_t *event)
{
    if (event->data.scalar.length != 2 || memcmp(event->data.scalar.value, "<<", 2) != 0)
        return false;
    const char *tag = (const char *)event->data.scalar.tag;
    return event->data.scalar.plain_implicit || (tag != NULL && strcmp(tag, MERGE_TAG) == 0);
}

enum lg_yaml_style lg_yaml_style_of(const yaml_event_t *event)
{
    switch (event->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return LG_YAML_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return LG_YAML_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        return LG_YAML_BLOCK_SCALAR;
    default:
        return LG_YAML_PLAIN;
    }
}

bool lg_yaml_is_flow(const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_START_EVENT)
        return event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    return event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
}
