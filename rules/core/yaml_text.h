/* A YAML document's text and places in it: libyaml counts characters, we say bytes, lines and
 * columns. Private to the YAML reader (yaml.h). One thread.
 */
#ifndef LG_RULES_CORE_YAML_TEXT_H
#define LG_RULES_CORE_YAML_TEXT_H

#include "rules/core/err.h"
#include "rules/core/json_doc.h"

struct lg_yaml_text {
    struct lg_str text;
    const char *file; /* NULL: none */
    uint32_t first_line;
};

/* A place in the text. Moves forwards only. */
struct lg_yaml_cursor {
    const char *p, *line_start;
    size_t index; /* characters before it */
    uint32_t line;
};

/* Where the text begins. */
struct lg_yaml_cursor lg_yaml_begin(const struct lg_yaml_text *text);

/* Moves on to the character with that index, or the text's end. O(what it passes). */
void lg_yaml_move(const struct lg_yaml_text *text, struct lg_yaml_cursor *at, size_t index);
/* Moves on to the byte at `to`, which stands in the text. */
void lg_yaml_move_to_byte(const struct lg_yaml_text *text, struct lg_yaml_cursor *at,
                          const char *to);

/* In the file; in the text, from 0. */
struct lg_mark lg_yaml_mark(const struct lg_yaml_text *text, const struct lg_yaml_cursor *at);
uint32_t lg_yaml_offset(const struct lg_yaml_text *text, const struct lg_yaml_cursor *at);

/* Sets `what` as wrong at the mark: err->where is "file:line:column". */
enum lg_err_code lg_yaml_refuse(const struct lg_yaml_text *text, enum lg_err_code code,
                                struct lg_mark mark, const char *what, struct lg_err *err);

/* Refuses what libyaml would take otherwise than yaml.v2, or would take too long for: a byte order
 * mark within the text (LG_E_INVALID), more than 64 directives (LG_E_LIMIT). */
enum lg_err_code lg_yaml_check_text(const struct lg_yaml_text *text, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
