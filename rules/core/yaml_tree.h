/* Between the parts of the YAML reader: the tree that libyaml's events make, and what a scalar means. Private to core. */
#ifndef LG_RULES_CORE_YAML_TREE_H
#define LG_RULES_CORE_YAML_TREE_H

#include "rules/core/json.h"

enum lg_yaml_kind { LG_YAML_SCALAR, LG_YAML_SEQUENCE, LG_YAML_MAPPING, LG_YAML_ALIAS };

struct lg_yaml_node {
    enum lg_yaml_kind kind;
    bool plain; /* a scalar without quotes and without a tag: its text says what it is */
    bool open;  /* still being read: an alias to it would hold itself */
    struct lg_str text, tag; /* tag "" = none */
    struct lg_mark mark;
    struct lg_yaml_node *first, *last, *next; /* children: items, or keys and values in turn */
    struct lg_yaml_node *target;              /* of an alias */
};

enum lg_yaml_type {
    LG_YAML_NULL,
    LG_YAML_BOOL,
    LG_YAML_INT,   /* in int64 */
    LG_YAML_UINT,  /* above int64 */
    LG_YAML_FLOAT, /* may be infinite or no number */
    LG_YAML_STRING,
};

struct lg_yaml_scalar {
    enum lg_yaml_type type;
    bool truth;
    int64_t integer;
    uint64_t natural;
    double real;
    struct lg_str text;
};

/* What the scalar means to yaml.v2. LG_E_INVALID: its tag does not fit its text (err->where is left empty). */
enum lg_err_code lg_yaml_resolve(const struct lg_yaml_node *node, struct lg_arena *arena,
                                 struct lg_yaml_scalar *ret, struct lg_err *err);

/* Appends a value as Go's encoding/json prints it; LG_E_INVALID for infinities and not-a-number. */
enum lg_err_code lg_yaml_print_value(const struct lg_yaml_scalar *scalar, struct lg_buf *buf,
                                     struct lg_err *err);
/* Appends a scalar as the JSON member name that sigs.k8s.io/yaml makes of it; LG_E_INVALID for null and integers above
 * int64. */
enum lg_err_code lg_yaml_print_key(const struct lg_yaml_scalar *scalar, struct lg_buf *buf,
                                   struct lg_err *err);

/* Renders the tree to JSON text and one mark a node of it. err->where is "line:column" of the file. */
struct lg_yaml_rendered {
    struct lg_buf text;
    struct lg_mark *marks; /* heap, given with the struct */
    size_t n_marks, marks_size;
};
enum lg_err_code lg_yaml_render(const struct lg_yaml_node *root, struct lg_arena *arena,
                                struct lg_yaml_rendered *ret, struct lg_err *err);
void lg_yaml_rendered_done(struct lg_yaml_rendered *rendered);

/* Sets `err` at a mark: where = "line:column". */
enum lg_err_code lg_yaml_fail(struct lg_err *err, enum lg_err_code code, struct lg_mark mark,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
