/* A YAML document as JSON text while it is being written, and where each node of it stands in the
 * file. Private to the YAML reader (yaml.h). One thread.
 */
#ifndef LG_RULES_CORE_YAML_RENDERED_H
#define LG_RULES_CORE_YAML_RENDERED_H

#include "rules/core/yaml.h"
#include "rules/core/yaml_text.h"

/* Where a node stands. */
struct lg_yaml_place {
    struct lg_mark mark;
    struct lg_yaml_span span;
};

/* Zeroed = nothing yet. */
struct lg_yaml_rendered {
    struct lg_buf out;
    struct lg_yaml_place *places; /* one a node */
    size_t n_places, places_size;
};

void lg_yaml_rendered_done(struct lg_yaml_rendered *rendered);

/* A comma, unless a bracket or a key was just opened. */
void lg_yaml_separate(struct lg_yaml_rendered *rendered);

/* The next node's place; false: there are LG_JSON_NODES_MAX of them. */
bool lg_yaml_add_place(struct lg_yaml_rendered *rendered, struct lg_mark mark,
                       struct lg_yaml_span span) __attribute__((warn_unused_result));

/* A stretch of what was written, between two brackets: bytes of text and the places in there. */
struct lg_yaml_inside {
    size_t text_from, text_to;
    size_t places_from, places_to;
};

/* Appends a stretch once more, behind a comma where one is due. False: too much, by
 * LG_YAML_RENDERED_BYTES_MAX or LG_JSON_NODES_MAX. */
bool lg_yaml_copy_inside(struct lg_yaml_rendered *rendered, const struct lg_yaml_inside *inside)
    __attribute__((warn_unused_result));

/* Reads what was rendered, in the arena; `skipped` is added to each span. *ret_spans (may be NULL)
 * as lg_yaml_parse_spans has it. LG_E_INVALID, LG_E_LIMIT: as lg_yaml_parse. */
struct lg_yaml_reading {
    const struct lg_yaml_text *text; /* what was rendered */
    uint32_t skipped;
    struct lg_arena *arena;
};
enum lg_err_code lg_yaml_read_rendered(const struct lg_yaml_rendered *rendered,
                                       const struct lg_yaml_reading *how, struct lg_val *ret_root,
                                       const struct lg_yaml_span **ret_spans, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
