#include "rules/inventory_index.h"

#include <stdlib.h>

#include "rules/core/mem.h"

struct lg_links {
    struct lg_map *of; /* the index */
    struct lg_link **items;
    uint32_t n, size;
    struct lg_str key; /* stands behind the list */
};

void lg_index_add(struct lg_map *index, struct lg_str key, const struct lg_record *record,
                  uint32_t use, struct lg_link *ret_link)
{
    struct lg_links *list = lg_map_get(index, key);
    if (list == NULL) {
        list = lg_calloc(1, sizeof *list + key.n);
        list->of = index;
        list->key = (struct lg_str){(char *)(list + 1), key.n};
        if (key.n != 0)
            memcpy(list + 1, key.p, key.n);
        lg_map_set(index, list->key, list);
    }
    if (list->n == list->size) {
        list->size = list->size != 0 ? list->size * 2 : 1;
        list->items = lg_realloc(list->items, list->size, sizeof(struct lg_link *));
    }
    *ret_link = (struct lg_link){.in = list, .record = record, .at = list->n, .use = use};
    list->items[list->n++] = ret_link;
}

void lg_index_remove(struct lg_link *link)
{
    struct lg_links *list = link->in;
    struct lg_link *last = list->items[--list->n];
    list->items[link->at] = last;
    last->at = link->at;
    if (list->n != 0)
        return;
    lg_map_remove(list->of, list->key);
    free(list->items);
    free(list);
}

const struct lg_link *lg_index_next(const struct lg_map *index, struct lg_str key, size_t *pos)
{
    const struct lg_links *list = lg_map_get(index, key);
    return list != NULL && *pos < list->n ? list->items[(*pos)++] : NULL;
}
