/* An inventory as it lies in memory; only rules/inventory*.c look inside. One thread changes it
 * while nobody reads, any number read.
 */
#ifndef LG_RULES_INVENTORY_DATA_H
#define LG_RULES_INVENTORY_DATA_H

#include "rules/inventory.h"
#include "rules/inventory_index.h"

struct lg_inventory_table {
    struct lg_map by_key; /* lg_record_key -> the record, or its entry where the kind is indexed */
    size_t bytes;
    enum lg_known known;
};

struct lg_inventory {
    struct lg_inventory_table tables[LG_KIND_COUNT];
    struct lg_map users;      /* index: claim -> VMs, VMIs and, of files, templates of them */
    struct lg_map migrations; /* index: VMI -> migrations */
    struct lg_map guests;     /* index: namespace -> VMIs */
    /* index: namespace (where their terms name namespaces: "") -> VMIs with required
     * podAntiAffinity */
    struct lg_map keepers;
    struct lg_node_table *nodes;
    struct lg_slots *slots;
    const struct lg_storage_class *default_class[2]; /* [virt] */
    struct lg_arena settings_arena;
    const struct lg_settings *settings;
    /* of a view (lg_inventory_over), else none */
    const struct lg_read *reads;
    size_t n_reads;
};

#endif
