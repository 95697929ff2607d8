/* Where a scan reads from: every kind that the rules look up into an inventory, virtual machines
 * one at a time. */
#include <stdlib.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "webhook/cli/bundle.h"
#include "webhook/cli/scan.h"

enum { TELL_EVERY = 256 };

struct lg_scan_source {
    struct lg_scan_options options;
    struct lg_inventory *own; /* of a cluster; files have the bundle's */
    struct lg_bundle bundle;
    bool files;
    struct lg_kubeconfig config;
    struct lg_http *http;
    /* what is being read */
    enum lg_kind kind;
    size_t read, unreadable;
};

LG_DEFINE_CLEANUP(struct lg_scan_source, lg_scan_close)

void lg_scan_close(struct lg_scan_source *take_source)
{
    if (take_source == NULL)
        return;
    lg_http_free(take_source->http);
    lg_kubeconfig_done(&take_source->config);
    lg_inventory_free(take_source->own);
    lg_bundle_done(&take_source->bundle);
    free(take_source);
}

struct lg_inventory *lg_scan_inventory(const struct lg_scan_source *source)
{
    return source->files ? source->bundle.inventory : source->own;
}

static void tell(const struct lg_scan_source *source)
{
    if (source->options.progress)
        fprintf(stderr, "\r\033[Kreading %s: %zu", lg_gvk(source->kind)->plural, source->read);
}

void lg_scan_quiet(const struct lg_scan_source *source)
{
    if (source->options.progress)
        fputs("\r\033[K", stderr);
}

/* An object that no record can be made of is left out, as the watch does. */
static enum lg_err_code keep(void *arg, const struct lg_listing_item *item, struct lg_err *err)
{
    struct lg_scan_source *source = arg;
    struct lg_record *record = NULL;
    (void)err;
    if (item->unread == NULL &&
        lg_record_new_as(source->kind, item->object, &record, NULL) == LG_E_OK)
        lg_inventory_set(source->own, record);
    else
        source->unreadable++;
    if (++source->read % TELL_EVERY == 0)
        tell(source);
    return LG_E_OK;
}

static struct lg_listing_options listing_of(struct lg_scan_source *source, enum lg_kind kind)
{
    source->kind = kind;
    source->read = 0;
    tell(source);
    return (struct lg_listing_options){
        .http = source->http,
        .server = source->config.server,
        .credential = source->config.source,
        .kind = kind,
        /* Revisions of everything that has any: KubeVirt's bear what they were made of. */
        .labels = kind == LG_KIND_REVISION ? "instancetype.kubevirt.io/object-name" : NULL,
        .item = keep,
        .arg = source,
    };
}

/* Of these only those of the namespaces that are asked for matter; other kinds are looked at across
 * namespaces. */
static bool in_namespace(enum lg_kind kind)
{
    return kind == LG_KIND_CLAIM || kind == LG_KIND_DATA_VOLUME || kind == LG_KIND_REVISION ||
           kind == LG_KIND_INSTANCETYPE || kind == LG_KIND_PREFERENCE;
}

static enum lg_err_code read_kind(struct lg_scan_source *source, enum lg_kind kind,
                                  struct lg_err *err)
{
    struct lg_listing_options listing = listing_of(source, kind);
    enum lg_known known = LG_NOT_SYNCED;
    if (in_namespace(kind))
        listing.ns = source->options.ns;
    enum lg_err_code code = lg_listing_run(&listing, &known, err);
    if (code != LG_E_OK)
        return code;
    /* A revision without the label is not there: that proves nothing. */
    if (kind == LG_KIND_REVISION && known == LG_KNOWN)
        known = LG_NOT_SYNCED;
    lg_inventory_set_known(source->own, kind, known);
    return LG_E_OK;
}

/* What engine and policy look at for any object, and what the rules of these kinds look up; virtual
 * machines come by themselves. */
unsigned lg_scan_kinds(unsigned judged)
{
    unsigned kinds =
        LG_BIT(LG_KIND_NAMESPACE) | LG_BIT(LG_KIND_KUBEVIRT) | LG_BIT(LG_KIND_HYPERCONVERGED);
    for (size_t i = 0; lg_rules[i] != NULL; i++)
        if ((lg_rules[i]->kinds & judged) != 0)
            kinds |= lg_rules[i]->looks_up;
    return (kinds | LG_BIT(LG_KIND_VMI)) & ~LG_BIT(LG_KIND_VM);
}

static enum lg_err_code read_cluster(struct lg_scan_source *source, struct lg_err *err)
{
    const struct lg_kubeconfig_options kubeconfig = {.path = source->options.kubeconfig};
    unsigned kinds = lg_scan_kinds(source->options.judged);
    enum lg_err_code code = lg_kubeconfig_open(&kubeconfig, &source->config, err);
    if (code == LG_E_OK)
        code = lg_http_new(&source->config, &source->http, err);
    source->own = lg_inventory_new();
    for (int kind = 0; code == LG_E_OK && kind < LG_KIND_COUNT; kind++)
        if ((kinds & LG_BIT(kind)) != 0 && !lg_gvk((enum lg_kind)kind)->only_in_files)
            code = read_kind(source, (enum lg_kind)kind, err);
    return code;
}

enum lg_err_code lg_scan_open(const struct lg_scan_options *options, struct lg_scan_source **ret,
                              struct lg_err *err)
{
    struct lg_scan_source *source lg_cleanup(lg_scan_close_cleanup) = lg_calloc(1, sizeof *source);
    source->options = *options;
    source->files = options->n_inventory != 0;
    enum lg_err_code code = source->files ? lg_bundle_read(&source->bundle, options->inventory,
                                                           options->n_inventory, NULL, 0, err)
                                          : read_cluster(source, err);
    lg_scan_quiet(source);
    if (code == LG_E_OK)
        *ret = lg_steal(source);
    return code;
}

static enum lg_err_code each_file(struct lg_scan_source *source, lg_listing_item_fn *item,
                                  void *arg, struct lg_err *err)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    enum lg_err_code code = LG_E_OK;
    lg_arena_init(&arena);
    for (size_t i = 0; i < source->bundle.given.n && code == LG_E_OK; i++) {
        const struct lg_manifest_object *given = &source->bundle.given.items[i];
        if (given->kind != LG_KIND_VM ||
            (source->options.ns.n != 0 &&
             !lg_str_eq(source->options.ns, lg_bundle_namespace(given))))
            continue;
        code = item(arg, &(struct lg_listing_item){.object = given->object, .arena = &arena}, err);
        lg_arena_reset(&arena);
    }
    return code;
}

struct passing {
    struct lg_scan_source *source;
    lg_listing_item_fn *item;
    void *arg;
};

static enum lg_err_code pass(void *arg, const struct lg_listing_item *item, struct lg_err *err)
{
    struct passing *passing = arg;
    if (++passing->source->read % TELL_EVERY == 0)
        tell(passing->source);
    return passing->item(passing->arg, item, err);
}

enum lg_err_code lg_scan_machines(struct lg_scan_source *source, lg_listing_item_fn *item,
                                  void *arg, struct lg_err *err)
{
    if (source->files)
        return each_file(source, item, arg, err);
    struct passing passing = {source, item, arg};
    struct lg_listing_options listing = listing_of(source, LG_KIND_VM);
    enum lg_known known = LG_NOT_SYNCED;
    listing.ns = source->options.ns;
    listing.item = pass;
    listing.arg = &passing;
    enum lg_err_code code = lg_listing_run(&listing, &known, err);
    lg_scan_quiet(source);
    if (code != LG_E_OK)
        return code;
    if (known == LG_FORBIDDEN)
        return lg_err_set(err, LG_E_DENIED, source->config.server,
                          "this user may not list virtualmachines.kubevirt.io%s",
                          source->options.ns.n == 0 ? "; --namespace asks for one namespace only"
                                                    : "");
    if (known == LG_NOT_SERVED)
        return lg_err_set(err, LG_E_NOTFOUND, source->config.server,
                          "it does not serve virtualmachines.kubevirt.io: there is no KubeVirt");
    return LG_E_OK;
}
