/* The one read-only document model: JSON text scanned strictly into a flat array of nodes.
 *
 * RFC 8259 without extensions: valid UTF-8 only, no duplicate keys (compared after unescaping), no
 * lone surrogates, depth and node limits. Numbers stay text until someone asks for an exact
 * integer; strings point into the text and are unescaped when asked for; both carry their length,
 * since NUL is a character. Written text is jansson's (out.h), or write.h's where that has to be
 * cheap; a user's subtree is never written back, it is copied as text (lg_json_text).
 *
 * A `struct lg_val` is a borrowed view: it lives as long as the arena and the text handed to
 * lg_json_parse. Documents are not shared between threads (unescaping allocates in the document's
 * arena).
 *
 * All readers accept LG_NONE, and a value of another kind, and then answer "nothing there":
 * look-ups can be chained without checks. JSON null counts as absent, as in Kubernetes, but for
 * lg_json_kind and the iterator.
 */
#ifndef LG_RULES_CORE_JSON_H
#define LG_RULES_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/json_doc.h"

struct lg_val {
    const struct lg_doc *doc;
    uint32_t i;
};

#define LG_NONE ((struct lg_val){0})

/* Scans `text` (borrowed, not copied) into `arena`.
 * LG_E_INVALID: not RFC 8259 (err->where is "line L, column C"). LG_E_LIMIT: readable, but a
 * duplicate key, half a surrogate pair, too deep or too many nodes (err->where is the JSON path);
 * then *ret_root still holds what stood before the violation, closed as if it ended there, so that
 * a caller can find a request's uid. O(n). */
enum lg_err_code lg_json_parse(struct lg_arena *arena, struct lg_str text, struct lg_val *ret_root,
                               struct lg_err *err)
    __attribute__((warn_unused_result, nonnull(1, 3)));

/* lg_json_parse for text that has a place of its own: the caller fills in text, arena and what it
 * knows of file, first_line and marks; `doc` is borrowed from the arena. Where file is set,
 * err->where is "file:line:column" for both codes. */
enum lg_err_code lg_json_parse_doc(struct lg_doc *doc, struct lg_val *ret_root, struct lg_err *err)
    __attribute__((warn_unused_result, nonnull(1, 2)));

static inline enum lg_json_kind lg_json_kind(struct lg_val v);
/* The kind as a person says it: "a list", "an object", "a string", "nothing"... Static storage. */
const char *lg_json_kind_name(struct lg_val v);

/* True when v is there and not null. */
static inline bool lg_json_there(struct lg_val v);

/* The member `key` of an object; absent when v is no object, has no such member, or it is null.
 * O(members), and O(1) for most that are not there. */
static inline struct lg_val lg_json_get(struct lg_val v, const char *key);
static inline struct lg_val lg_json_get_str(struct lg_val v, struct lg_str key);

/* lg_json_get along a path of plain member names, "spec.template.spec"; no indexes, no dots within
 * names. */
struct lg_val lg_json_at(struct lg_val v, const char *path);

/* True when the object has the member, even as null (presence is what some annotations mean). */
bool lg_json_has(struct lg_val v, const char *key);

/* Item `n` of an array. O(n). */
struct lg_val lg_json_item(struct lg_val v, size_t n);

/* Items of an array or members of an object; 0 for anything else. O(items). */
size_t lg_json_len(struct lg_val v);

/* for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) use it.val, it.index, and for
 * objects it.key. Nulls are visited. `key` is unescaped (in the document's arena where it has to
 * be). */
struct lg_json_iter {
    struct lg_val val;
    struct lg_str key;
    size_t index;
    struct lg_val of; /* private from here on */
    uint32_t at, end;
    bool object;
};
static inline struct lg_json_iter lg_json_iter(struct lg_val v);
static inline bool lg_json_next(struct lg_json_iter *it);
/* The member or item of `at` that is v or holds it, for a walk from a root to a value; false: there
 * is none. O(members). */
bool lg_json_toward(struct lg_val at, struct lg_val v, struct lg_json_iter *ret);

/* The string's characters, unescaped; the absent string for anything else. Borrowed from the text
 * or the arena. */
struct lg_str lg_json_str(struct lg_val v);
/* lg_json_str(lg_json_at(v, path)) */
struct lg_str lg_json_str_at(struct lg_val v, const char *path);
/* True when v is a string that says `text`. Allocates nothing. */
bool lg_json_is(struct lg_val v, const char *text);
bool lg_json_is_str(struct lg_val v, struct lg_str text);

/* true or false; `otherwise` for anything else. */
bool lg_json_bool(struct lg_val v, bool otherwise);

/* An exact integer. LG_E_INVALID: not a number, or one with a fraction or exponent; LG_E_LIMIT: it
 * does not fit. */
enum lg_err_code lg_json_int64(struct lg_val v, int64_t *ret) __attribute__((warn_unused_result));

/* The value's text as it stands; of a string with its quotes. */
struct lg_str lg_json_text(struct lg_val v);

/* Same value: members in any order, strings unescaped, numbers by their text. O(n x depth),
 * whatever the order. */
bool lg_json_equal(struct lg_val a, struct lg_val b);

/* "spec.template.spec.volumes[1].name" from `root` (an ancestor or v itself: "") to v, in the
 * arena; a name that is not plain is bracketed: metadata.annotations["a.b/c"]. O(depth x
 * siblings). */
struct lg_str lg_json_path(struct lg_val root, struct lg_val v, struct lg_arena *arena);

/* Where v stands in the user's file. */
struct lg_mark lg_json_mark(struct lg_val v);

#include "rules/core/json_inline.h"

#endif
