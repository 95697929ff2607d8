/* Which guests take up a place among the parallel migrations, as the cluster shows it: one slot a
 * guest.
 *
 * A guest has a slot while KubeVirt counts a migration of it as running (by phase), or while one
 * waits that KubeVirt could start now: its guest runs, it is neither decentralized nor being
 * deleted, no condition blocks it. Whether KubeVirt has made the target pod is not looked at.
 * Outbound counts on the guest's node and on the node that it comes from, as KubeVirt's own limiter
 * does; inbound on the node that it goes to, once that is known.
 *
 * Kept up with every change of a migration or of a guest, so that counting costs nothing:
 * O(unfinished migrations of the one guest). Finished migrations are not kept; of those that were
 * deleted the last ones are known. One table belongs to one copy of the inventory; one thread
 * changes it while nobody reads, any number read. Source: KubeVirt
 * pkg/virt-controller/watch/migration/migration.go.
 */
#ifndef LG_RULES_VIRT_SLOTS_H
#define LG_RULES_VIRT_SLOTS_H

#include "rules/virt/records.h"

enum { LG_SLOTS_GONE_MAX = 256 };

struct lg_slots; /* opaque */

struct lg_slots *lg_slots_new(void);
void lg_slots_free(struct lg_slots *slots);

/* Phase Succeeded or Failed. */
bool lg_migration_is_final(const struct lg_migration_record *migration);
/* KubeVirt's own word: it counts against the limits by its phase alone. */
bool lg_migration_is_running(const struct lg_migration_record *migration);

/* `old` goes, `new` comes (either may be NULL; both of the same name). The table borrows `new`
 * until it goes. `guest_of` is asked for a migration's guest as it is now (NULL: there is none). */
typedef const struct lg_vmi_record *lg_slots_guest_fn(void *arg, struct lg_str ns,
                                                      struct lg_str name);
void lg_slots_set_migration(struct lg_slots *slots, const struct lg_migration_record *old,
                            const struct lg_migration_record *new, lg_slots_guest_fn *guest_of,
                            void *arg);
/* The guest changed, came, or went (vmi NULL). */
void lg_slots_set_guest(struct lg_slots *slots, struct lg_str ns, struct lg_str name,
                        const struct lg_vmi_record *vmi);

struct lg_slot {
    const struct lg_migration_record *migration; /* the oldest that counts */
    bool running;
    /* "" = not known. `also` is the node it comes from, where that is another one than the
     * guest's. */
    struct lg_str node, also, to;
};

size_t lg_slots_used(const struct lg_slots *slots);
size_t lg_slots_running(const struct lg_slots *slots);
size_t lg_slots_outbound(const struct lg_slots *slots, struct lg_str node);
size_t lg_slots_inbound(const struct lg_slots *slots, struct lg_str node);
/* Slots whose target is not known yet. */
size_t lg_slots_unplaced(const struct lg_slots *slots);
/* The guest's slot, or NULL: it takes up none. Borrowed until the next change. */
const struct lg_slot *lg_slots_get(const struct lg_slots *slots, struct lg_str ns,
                                   struct lg_str guest);
/* Visits all slots, in no order: start with *pos = 0 until NULL. */
const struct lg_slot *lg_slots_next(const struct lg_slots *slots, size_t *pos);

/* Whether a migration of that uid was there and is not any more: of the last LG_SLOTS_GONE_MAX. One
 * may have come and gone before anybody looked. O(LG_SLOTS_GONE_MAX) */
bool lg_slots_is_gone(const struct lg_slots *slots, struct lg_str uid);

/* How long a migration takes here, from those that ended; 0 = none was seen to end. */
int64_t lg_slots_typical_s(const struct lg_slots *slots);

#endif
