/* A small cluster for tests of the limiter's decision: guests named "namespace/guest", each on a
 * node; migrations of them; a ledger; a clock. Included by one file of a test program; one
 * thread. */
#ifndef LG_TESTS_UNIT_LIMITS_WORLD_H
#define LG_TESTS_UNIT_LIMITS_WORLD_H

#include <stdio.h>

#include "rules/inventory.h"
#include "rules/virt/limits.h"
#include "tests/support/objects.h"

static struct lg_objects objects;
static struct lg_inventory *inv;
static struct lg_ledger ledger;
static int64_t now_ms;
static int64_t limit_cluster, limit_node;
static unsigned next_id;

static inline int setup(void **state)
{
    (void)state;
    lg_objects_init(&objects);
    inv = lg_inventory_new();
    ledger = (struct lg_ledger){0};
    now_ms = 1000 * 1000;
    limit_cluster = 5;
    limit_node = 2;
    next_id = 0;
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    lg_ledger_done(&ledger);
    lg_inventory_free(inv);
    lg_objects_done(&objects);
    return 0;
}

static inline void guest(const char *ns, const char *name, const char *node)
{
    char text[512];
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':"
             "'%s','namespace':'%s'},'status':{'phase':'Running','nodeName':'%s'}}",
             name, ns, node);
    lg_inventory_set(inv, lg_objects_record(&objects, text));
}

static inline void migration_with(const char *ns, const char *name, const char *guest_name,
                                  const char *phase, const char *more)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstanceMigration','metadata':"
             "{'name':'%s','namespace':'%s','uid':'uid-%s'%s},'spec':{'vmiName':'%s'},"
             "'status':{'phase':'%s'}}",
             name, ns, name, more, guest_name, phase);
    lg_inventory_set(inv, lg_objects_record(&objects, text));
}

static inline void migration(const char *ns, const char *name, const char *guest_name,
                             const char *phase)
{
    migration_with(ns, name, guest_name, phase, "");
}

static inline size_t used(void)
{
    return lg_limits_used(lg_inventory_slots(inv), &ledger);
}

static inline size_t outbound(const char *node)
{
    return lg_limits_outbound(lg_inventory_slots(inv), &ledger, lg_str_of(node));
}

static inline enum lg_seen seen(void *arg, const struct lg_reservation *reservation)
{
    (void)arg;
    const struct lg_record *record = NULL;
    if (lg_inventory_get(inv, LG_KIND_MIGRATION, reservation->ns, reservation->name, &record) !=
            LG_FOUND ||
        !lg_str_eq(record->uid, reservation->id))
        return LG_UNSEEN;
    return lg_migration_is_final((const struct lg_migration_record *)record) ? LG_SEEN_FINAL
                                                                             : LG_SEEN_UNFINISHED;
}

static inline bool tidy(void)
{
    return lg_ledger_tidy(&ledger, now_ms, seen, NULL);
}

static inline struct lg_ask ask_of(const char *ns, const char *name)
{
    const struct lg_vmi_record *vmi = NULL;
    (void)lg_inventory_vmi(inv, lg_str_of(ns), lg_str_of(name), &vmi);
    char id[32];
    snprintf(id, sizeof id, "ask-%u", ++next_id);
    return (struct lg_ask){
        .ns = lg_str_of(ns),
        .guest = lg_str_of(name),
        .node = vmi != NULL ? vmi->node : LG_STR(""),
        .name = LG_STR("m"),
        .id = lg_arena_str(&objects.arena, lg_str_of(id)),
        .user = LG_STR("alice"),
        .limit = {limit_cluster, limit_node, 0},
        .now_ms = now_ms,
        .now_unix_s = now_ms / 1000,
    };
}

static inline struct lg_turnout decide(const struct lg_ask *ask)
{
    struct lg_turnout turnout;
    tidy();
    lg_limits_decide(ask, lg_inventory_slots(inv), &ledger, &turnout);
    return turnout;
}

static inline struct lg_turnout ask(const char *ns, const char *name)
{
    struct lg_ask the = ask_of(ns, name);
    return decide(&the);
}

#endif
