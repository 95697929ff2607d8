/* Writes new values into a user's own YAML or JSON text: only what has to change changes.
 *
 * A document and the value it is to have differ in few places; each difference becomes a splice of
 * the text. Comments, order, indentation, quoting and line ends of everything else stay. What
 * cannot be written without touching more (a block scalar, a member that an alias shares) is
 * refused; the caller reads the result back and compares, so that a text that this module misjudged
 * is never kept. Pure, any thread.
 */
#ifndef LG_RULES_CORE_REWRITE_H
#define LG_RULES_CORE_REWRITE_H

#include "rules/core/yaml.h"

/* The text of one document: a slice of a file, and where each node of its value stands in it. */
struct lg_rewrite_source {
    struct lg_str text;
    struct lg_val root;               /* the whole document's value */
    const struct lg_yaml_span *spans; /* by node; in the text */
    bool json;
};

struct lg_splice {
    size_t at, n; /* what is replaced */
    struct lg_str text;
    size_t indent; /* of two insertions at one place, the deeper one comes first */
    size_t order;  /* private */
};

/* Sorted by place, none overlaps another. */
struct lg_splices {
    struct lg_arena *arena;
    struct lg_splice *items;
    size_t n, size;
};

/* Reads where the nodes of a document stand: of JSON from its value (whose text is `text`), of YAML
 * by reading it again. */
enum lg_err_code lg_rewrite_open(struct lg_arena *arena, const struct lg_yaml_document *document,
                                 const char *file, struct lg_val json_root,
                                 struct lg_rewrite_source *ret, struct lg_err *err)
    __attribute__((warn_unused_result));

/* Adds the splices that turn `old` (a value of the source) into `wanted`, which has the same
 * members in the same order; a member may bear another name, further ones may follow, a list may be
 * shorter. LG_E_UNSUPPORTED: err says why it cannot be written. */
enum lg_err_code lg_rewrite(const struct lg_rewrite_source *source, struct lg_val old,
                            struct lg_val wanted, struct lg_splices *splices, struct lg_err *err)
    __attribute__((warn_unused_result));

/* Adds one. */
void lg_splices_add(struct lg_splices *splices, const struct lg_splice *splice);

/* Sorts them and drops what is there twice. LG_E_UNSUPPORTED where two want the same text to be
 * different. */
enum lg_err_code lg_splices_finish(struct lg_splices *splices, struct lg_err *err)
    __attribute__((warn_unused_result));

/* The text with the splices, in their arena. */
struct lg_str lg_splices_apply(const struct lg_splices *splices, struct lg_str text);

#endif
