/* The cluster as rules may see it: tables of immutable records plus derived indexes.
 *
 * Filled alike from files and from a watch, by one function. A look-up has three answers: found,
 * absent, unknown (not given, not synced, not served, not permitted). One thread changes an
 * inventory while nobody reads it; any number read. Results are borrowed until the next change.
 */
#ifndef LG_RULES_INVENTORY_H
#define LG_RULES_INVENTORY_H

#include "rules/virt/claims.h"
#include "rules/virt/expansion.h"
#include "rules/virt/nodes.h"
#include "rules/virt/records.h"
#include "rules/virt/separation.h"
#include "rules/virt/settings.h"
#include "rules/virt/slots.h"
#include "rules/virt/storage.h"

struct lg_inventory;

/* Why a kind's absence proves nothing. */
enum lg_known {
    LG_NOT_GIVEN,  /* no file had an object of this kind (the state at birth) */
    LG_NOT_SYNCED, /* not listed yet, or the list failed */
    LG_NOT_SERVED, /* the API server has no such resource */
    LG_FORBIDDEN,  /* RBAC does not let us read it */
    LG_KNOWN,      /* complete: what is not here does not exist */
};

struct lg_inventory *lg_inventory_new(void);
void lg_inventory_free(struct lg_inventory *inv);

/* Adds or replaces. The record is taken. Does not change the kind's state. */
void lg_inventory_set(struct lg_inventory *inv, struct lg_record *take_record);
void lg_inventory_remove(struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns,
                         struct lg_str name);
void lg_inventory_set_known(struct lg_inventory *inv, enum lg_kind kind, enum lg_known known);

enum lg_known lg_inventory_known(const struct lg_inventory *inv, enum lg_kind kind);
size_t lg_inventory_count(const struct lg_inventory *inv, enum lg_kind kind);
size_t lg_inventory_bytes(const struct lg_inventory *inv, enum lg_kind kind);

/* *ret is NULL unless found. The typed ones below cast. */
enum lg_lookup lg_inventory_get(const struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns,
                                struct lg_str name, const struct lg_record **ret);
enum lg_lookup lg_inventory_claim(const struct lg_inventory *inv, struct lg_str ns,
                                  struct lg_str name, const struct lg_claim **ret);
enum lg_lookup lg_inventory_data_volume(const struct lg_inventory *inv, struct lg_str ns,
                                        struct lg_str name, const struct lg_data_volume **ret);
enum lg_lookup lg_inventory_vmi(const struct lg_inventory *inv, struct lg_str ns,
                                struct lg_str name, const struct lg_vmi_record **ret);
enum lg_lookup lg_inventory_namespace(const struct lg_inventory *inv, struct lg_str name,
                                      const struct lg_namespace **ret);

/* --- reads, in front of an inventory --- */

/* What one object was when it was read by itself: newer than the inventory. */
struct lg_read {
    enum lg_kind kind;
    struct lg_str ns, name;         /* ns "" for a cluster-scoped kind */
    const struct lg_record *record; /* NULL: there is none of that name */
};
enum { LG_READS_MAX = 12 };

/* `base` as it looks with these reads (at most LG_READS_MAX; all borrowed, like `base`) in front of
 * it: look-ups by name and the migrations of a VMI go by them, everything else is `base`'s. A view
 * in the arena, not to be changed or freed. */
const struct lg_inventory *lg_inventory_over(const struct lg_inventory *base,
                                             const struct lg_read *reads, size_t n,
                                             struct lg_arena *arena);
/* True when that object is among the reads. */
bool lg_inventory_was_read(const struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns,
                           struct lg_str name);

/* --- more than one --- */

/* Visits all records of a kind, in no order: start with *pos = 0 until NULL. */
const struct lg_record *lg_inventory_next(const struct lg_inventory *inv, enum lg_kind kind,
                                          size_t *pos);

/* True when an object of the kind stands in the namespace. O(objects of the kind): for kinds of
 * which there are few. */
bool lg_inventory_stands_in(const struct lg_inventory *inv, enum lg_kind kind, struct lg_str ns);

/* Visits the VMs and VMIs (and, of files, the templates of them) with a volume over this claim (by
 * claim or data volume name): start with *pos = 0 until NULL. O(users). *ret_use is the volume. */
const struct lg_record *lg_inventory_next_user(const struct lg_inventory *inv, struct lg_str ns,
                                               struct lg_str claim, size_t *pos,
                                               const struct lg_use **ret_use);

/* The first by name of the VMs and VMIs that share the claim with their guest as a filesystem
 * (virtiofs), so that it cannot become a block device; NULL: none is known. O(users). */
const struct lg_record *lg_inventory_sharer(const struct lg_inventory *inv, struct lg_str ns,
                                            struct lg_str claim);

/* Visits the migrations of a VMI, finished ones included, in no order. O(its migrations). */
const struct lg_migration_record *lg_inventory_next_migration(const struct lg_inventory *inv,
                                                              struct lg_str ns, struct lg_str vmi,
                                                              size_t *pos);

/* Which guests take up a place among the parallel migrations. Borrowed until the next change. */
const struct lg_slots *lg_inventory_slots(const struct lg_inventory *inv);

const struct lg_node_table *lg_inventory_nodes(const struct lg_inventory *inv);

/* Never NULL; recomputed when a KubeVirt or HyperConverged CR changes. */
const struct lg_settings *lg_inventory_settings(const struct lg_inventory *inv);

/* How a migration of this guest runs: what the CRs say, and the MigrationPolicy that matches.
 * O(policies). LG_UNKNOWN where policies, or the labels of the guest's namespace while there are
 * any, are not known: then *ret is what the CRs say. Sources lie in the arena. */
enum lg_lookup lg_inventory_migration_settings(const struct lg_inventory *inv,
                                               const struct lg_vmi_record *vmi,
                                               struct lg_arena *arena,
                                               struct lg_migration_settings *ret);

/* For virt/storage.h; `arg` is the inventory. */
struct lg_storage_view lg_inventory_storage(const struct lg_inventory *inv);
/* For virt/separation.h; `arg` is the inventory. */
struct lg_guests_view lg_inventory_guests(const struct lg_inventory *inv);
/* For virt/expansion.h; `arg` is the inventory. */
struct lg_parts_view lg_inventory_parts(const struct lg_inventory *inv);
/* For virt/claims.h; `arg` is the inventory. */
struct lg_claims_view lg_inventory_claims(const struct lg_inventory *inv);

#endif
