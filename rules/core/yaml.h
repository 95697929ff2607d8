/* YAML as kubectl reads it (sigs.k8s.io/yaml, strict), rendered to JSON text and read by the one
 * reader.
 *
 * libyaml gives events; scalars are resolved as yaml.v2 does (YAML 1.1 booleans, octal,
 * underscores, base 60 not), keys become strings, merge keys and aliases are expanded within a
 * budget. Every node knows its line and column in the file. Documents are split at lines as kubectl
 * does. One arena, one thread.
 */
#ifndef LG_RULES_CORE_YAML_H
#define LG_RULES_CORE_YAML_H

#include "rules/core/json.h"

enum {
    LG_YAML_RENDERED_BYTES_MAX = 32 * 1024 * 1024
}; /* what one document may grow to by aliases */

/* One document's text within a file. */
struct lg_yaml_document {
    struct lg_str text;
    uint32_t first_line; /* in the file, from 1 */
    uint32_t number;     /* from 1; empty documents count */
};

/* Splits at "---" lines; start with *pos = 0, false at the end. Empty documents are passed over but
 * counted. */
bool lg_yaml_next_document(struct lg_str file_text, size_t *pos,
                           struct lg_yaml_document *io_document);

/* Reads one document (`first_line` and `file` for positions and messages). *ret_root is LG_NONE for
 * an empty or null one. Only the text's first document counts, as for kubectl. LG_E_INVALID,
 * LG_E_LIMIT: err->where is "file:line:column". */
enum lg_err_code lg_yaml_parse(struct lg_arena *arena, const struct lg_yaml_document *document,
                               const char *file, struct lg_val *ret_root, struct lg_err *err)
    __attribute__((warn_unused_result));

/* How a node is written. */
enum lg_yaml_style {
    LG_YAML_PLAIN, /* also an empty one: nothing at all */
    LG_YAML_SINGLE_QUOTED,
    LG_YAML_DOUBLE_QUOTED,
    LG_YAML_BLOCK_SCALAR, /* | or > */
    LG_YAML_FLOW,         /* in brackets */
    LG_YAML_BLOCK,        /* by indentation */
    LG_YAML_ALIAS,        /* *name; what is inside stands where the anchor is */
};

/* The bytes of a node in the document's text: with its anchor and tag, without what follows its
 * last character. */
struct lg_yaml_span {
    uint32_t from, to;
    enum lg_yaml_style style;
};

/* lg_yaml_parse, and where each node is written, by the index of the node; in the arena. What an
 * alias or a merge brings in has the spans of where it was written. */
enum lg_err_code lg_yaml_parse_spans(struct lg_arena *arena,
                                     const struct lg_yaml_document *document, const char *file,
                                     struct lg_val *ret_root, const struct lg_yaml_span **ret_spans,
                                     struct lg_err *err) __attribute__((warn_unused_result));

#endif
