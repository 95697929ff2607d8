/* What of json.h is asked so often, by each rule of each review, that a call would cost more than
 * the answer. Included by json.h alone, which documents it. Any thread, as there.
 */
#ifndef LG_RULES_CORE_JSON_INLINE_H
#define LG_RULES_CORE_JSON_INLINE_H

#include "rules/core/json.h"

static inline enum lg_json_kind lg_json_kind(struct lg_val v)
{
    return v.doc != NULL ? (enum lg_json_kind)v.doc->nodes[v.i].kind : LG_JSON_ABSENT;
}

static inline bool lg_json_there(struct lg_val v)
{
    return lg_json_kind(v) > LG_JSON_NULL;
}

/* One of LG_JSON_KEY_BITS bits for a key: two that differ in it differ. An object knows those of
 * its keys (lg_json_node), so that most look-ups of what is not there end at once. Of a literal the
 * compiler works it out. */
static inline uint32_t lg_json_key_bit(struct lg_str key)
{
    if (key.n == 0)
        return 1;
    size_t first = (unsigned char)key.p[0];
    size_t middle = (unsigned char)key.p[key.n / 2];
    size_t last = (unsigned char)key.p[key.n - 1];
    return (uint32_t)1 << (key.n + first * 7 + middle * 3 + last * 13) % LG_JSON_KEY_BITS;
}

/* lg_json_get_str with the key's bit. */
struct lg_val lg_json_get_bit(struct lg_val v, struct lg_str key, uint32_t bit);

static inline struct lg_val lg_json_get_str(struct lg_val v, struct lg_str key)
{
    return lg_json_get_bit(v, key, lg_json_key_bit(key));
}

static inline struct lg_val lg_json_get(struct lg_val v, const char *key)
{
    return lg_json_get_str(v, lg_str_of(key));
}

static inline struct lg_json_iter lg_json_iter(struct lg_val v)
{
    struct lg_json_iter it = {.of = v, .index = SIZE_MAX};
    if (lg_json_kind(v) < LG_JSON_ARRAY)
        return it;
    it.object = lg_json_kind(v) == LG_JSON_OBJECT;
    it.at = v.i + 1;
    it.end = v.doc->nodes[v.i].next;
    return it;
}

static inline bool lg_json_next(struct lg_json_iter *it)
{
    if (it->at >= it->end)
        return false;
    if (it->object)
        it->key = lg_json_str((struct lg_val){it->of.doc, it->at++});
    it->val = (struct lg_val){it->of.doc, it->at};
    it->index++;
    it->at = it->of.doc->nodes[it->at].next;
    return true;
}

#endif
