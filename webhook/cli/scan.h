/* What `livegate scan` is made of: a cluster (or files) read once into an inventory, virtual
 * machines passing by one at a time, what is said of each, and the forecast of a drain. Owned by
 * the command, one thread.
 */
#ifndef LG_WEBHOOK_CLI_SCAN_H
#define LG_WEBHOOK_CLI_SCAN_H

#include <stdio.h>

#include "rules/core/out.h"
#include "rules/engine.h"
#include "webhook/cluster/listing.h"

/* --- where the objects come from --- */

struct lg_scan_source; /* a cluster, or files */

struct lg_scan_options {
    const char *kubeconfig;       /* NULL: found as kubectl does */
    const char *const *inventory; /* files instead of a cluster */
    size_t n_inventory;
    struct lg_str ns; /* "" = all namespaces */
    bool progress;    /* tell on stderr what is being read */
    unsigned judged;  /* LG_BIT(kind) of what will be judged: what its rules look up is read */
};

/* Opens it and reads what rules need but virtual machines. Errors: as lg_kubeconfig_open,
 * lg_listing_run, lg_bundle_read; what the API server does not serve or not permit is unknown in
 * the inventory. */
enum lg_err_code lg_scan_open(const struct lg_scan_options *options, struct lg_scan_source **ret,
                              struct lg_err *err) __attribute__((nonnull, warn_unused_result));
void lg_scan_close(struct lg_scan_source *take_source);
struct lg_inventory *lg_scan_inventory(const struct lg_scan_source *source)
    __attribute__((nonnull));
/* LG_BIT(kind) of what is read of a cluster, virtual machines left out. */
unsigned lg_scan_kinds(unsigned judged);

/* Hands on each virtual machine of the namespaces, while it arrives. LG_E_DENIED, LG_E_NOTFOUND:
 * they cannot be listed. */
enum lg_err_code lg_scan_machines(struct lg_scan_source *source, lg_listing_item_fn *item,
                                  void *arg, struct lg_err *err)
    __attribute__((nonnull, warn_unused_result));

/* Takes the line about progress away. */
void lg_scan_quiet(const struct lg_scan_source *source) __attribute__((nonnull));

/* --- what is said of each --- */

struct lg_scan_report {
    FILE *out;
    const struct lg_inventory *inventory;
    unsigned kinds; /* of which it is worth saying that they are not known */
    bool json, color, verbose;
    size_t objects, refused, warned, pending, unreadable;
};

/* One judged object. What enforce would refuse: a finding that denies by policy alone, or an object
 * that cannot be read. */
struct lg_scan_item {
    enum lg_kind kind;
    struct lg_str ns, name;
    const struct lg_judgement *judgement;
    const struct lg_err *unread; /* NULL: it was judged */
};

void lg_scan_begin(const struct lg_scan_report *report) __attribute__((nonnull));
void lg_scan_item(struct lg_scan_report *report, const struct lg_scan_item *item)
    __attribute__((nonnull));
void lg_scan_end(const struct lg_scan_report *report) __attribute__((nonnull));

/* --- a drain --- */

enum lg_drain_fate {
    LG_DRAIN_BLOCKS,    /* its eviction is refused for ever */
    LG_DRAIN_NO_TARGET, /* it is to move, and no other node can take it */
    LG_DRAIN_WAITS,     /* for a controller that is not KubeVirt's */
    LG_DRAIN_SHUT_DOWN,
    LG_DRAIN_MOVES,
    LG_DRAIN_MOVING, /* it is being migrated already */
    LG_DRAIN_FATES
};

struct lg_drain_guest {
    const struct lg_vmi_record *vmi; /* borrowed from the inventory */
    enum lg_drain_fate fate;
    struct lg_str why;  /* in the arena; "" for one that simply moves */
    struct lg_str note; /* what may go wrong on the way; "" = nothing is known */
    size_t wave;        /* of one that moves: with which others it goes, from 1 */
};

struct lg_drain {
    struct lg_str node;
    struct lg_drain_guest *guests; /* by fate, then wave, then namespace and name */
    size_t n;
    size_t counts[LG_DRAIN_FATES];
    struct lg_migration_value cluster_limit, node_limit;
    size_t used, outbound; /* places that are taken now: in the cluster, leaving the node */
    size_t first, at_once; /* how many may start now, and later at a time */
};

/* What draining the node would do to its guests, by facts and by the default policy. LG_E_NOTFOUND:
 * there is no such node; LG_E_DENIED: nodes or guests are not known. Lives in the arena. */
enum lg_err_code lg_drain_forecast(const struct lg_inventory *inventory, struct lg_str node,
                                   struct lg_str ns, struct lg_arena *arena, struct lg_drain *ret,
                                   struct lg_err *err) __attribute__((nonnull, warn_unused_result));

void lg_drain_print(const struct lg_drain *drain, FILE *out, bool json, bool color)
    __attribute__((nonnull));

#endif
