/* A JSON document as it lies in memory: the user's text and a flat array of nodes over it. Readers
 * go through json.h; what walks nodes by itself (scanner, iterator, rewriting, records packed as
 * JSON) looks in here.
 *
 * Lives in an arena, borrows its text. Not shared between threads (unescaping allocates in the
 * document's arena).
 */
#ifndef LG_RULES_CORE_JSON_DOC_H
#define LG_RULES_CORE_JSON_DOC_H

#include "rules/core/arena.h"

enum lg_json_kind {
    LG_JSON_ABSENT,
    LG_JSON_NULL,
    LG_JSON_FALSE,
    LG_JSON_TRUE,
    LG_JSON_NUMBER,
    LG_JSON_STRING,
    LG_JSON_ARRAY,
    LG_JSON_OBJECT,
};

enum { LG_JSON_KEY_BITS = 24, LG_JSON_ANY_KEY = (1 << LG_JSON_KEY_BITS) - 1 };

enum { LG_JSON_DEPTH_MAX = 64, LG_JSON_NODES_MAX = 200000, LG_JSON_TEXT_BYTES_MAX = 1 << 30 };

/* Where a node stands in what the user wrote; both count from 1, columns in bytes. {0, 0} = not
 * known. */
struct lg_mark {
    uint32_t line, column;
};

struct lg_json_node {
    uint32_t off;      /* first byte of the token in the text; of a string, behind the quote */
    uint32_t len;      /* bytes of the token; of a string, between the quotes */
    uint32_t next;     /* index behind this node and everything below it */
    uint32_t kind : 8; /* enum lg_json_kind */
    /* A string with a backslash: its number among those, from 1. An object: which keys it may have,
     * by lg_json_key_bit; all bits where there may be a table of them. Else 0. */
    uint32_t more : 24;
};

struct lg_json_key {
    uint32_t node; /* its index; 0 = free (node 0 is the root) */
    uint32_t hash;
};

/* An object's keys by hash (json_keys.h). Zeroed = empty. */
struct lg_json_keys {
    uint32_t of;               /* the object's node */
    uint32_t n, size;          /* keys; slots */
    struct lg_json_key *slots; /* in the document's arena; NULL: none yet */
};

/* One parsed text. Nodes stand in the order of the text: a container, then its items; a member is
 * its key's node (a string), then its value. */
struct lg_doc {
    struct lg_str text;
    struct lg_json_node *nodes;
    uint32_t count;
    struct lg_arena *arena;
    struct lg_str *unescaped;    /* of each string with a backslash, once somebody asked for it */
    struct lg_json_keys *keys;   /* of each object that has too many to compare them, by node */
    uint32_t n_keys;             /* such objects */
    const struct lg_mark *marks; /* one a node where the text was rendered from YAML, else NULL */
    const char *file;            /* for messages; NULL = not from a file */
    /* line of the text's first byte in `file`, from 1; for where marks is NULL */
    uint32_t first_line;
    uint32_t nodes_max; /* 0 = LG_JSON_NODES_MAX */
    /* Objects and lists that are the value of a member of this name are passed over (skip.h) and
     * read as null; "" = none. Only for texts that somebody else wrote as JSON already: what stands
     * in there is not looked at. */
    struct lg_str without;
};

#endif
