/* livegate scan: judges what is in a cluster now, with the engine of the webhook; or forecasts what
 * a drain would do. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "rules/kube/names.h"
#include "webhook/cli/cli.h"
#include "webhook/cli/output.h"
#include "webhook/cli/scan.h"
#include "webhook/runtime/clock.h"

enum { KEY_INVENTORY = 'i', KEY_VERBOSE = 'v', KEY_DRAIN = 256 };

/* What a scan judges; a drain judges the migrations that it would bring. */
#define JUDGED (LG_BIT(LG_KIND_VM) | LG_BIT(LG_KIND_VMI))

struct options {
    const char *kubeconfig, *drain, *policy, *ns;
    const char **inventory;
    size_t n_inventory;
    bool json, verbose;
};

static void options_done(struct options *options)
{
    free(options->inventory);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case LG_CLI_KUBECONFIG:
        options->kubeconfig = arg;
        return 0;
    case KEY_INVENTORY:
        lg_cli_append(&options->inventory, &options->n_inventory, arg);
        return 0;
    case 'n':
        options->ns = arg;
        if (!lg_name_is_label(lg_str_of(arg)))
            argp_error(state, "--namespace \"%s\" cannot be a namespace's name", arg);
        return 0;
    case KEY_DRAIN:
        options->drain = arg;
        return 0;
    case 'p':
        options->policy = arg;
        return 0;
    case 'o':
        options->json = lg_cli_wants_json(arg, state);
        return 0;
    case KEY_VERBOSE:
        options->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\"? files are given with --inventory", arg);
        return 0;
    case ARGP_KEY_END:
        if (options->kubeconfig != NULL && options->n_inventory != 0)
            argp_error(state, "--kubeconfig or --inventory, not both");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options_table[] = {
    LG_CLI_OPTION_KUBECONFIG,
    {"inventory", KEY_INVENTORY, "PATH", 0,
     "Files instead of a cluster, as `kubectl get ... -o yaml` writes them; may be given many "
     "times",
     0},
    {"namespace", 'n', "NAME", 0, "Only virtual machines of this namespace", 0},
    {"drain", KEY_DRAIN, "NODE", 0, "Forecast what draining the node would do to its guests", 0},
    LG_CLI_OPTION_POLICY,
    LG_CLI_OPTION_OUTPUT,
    {"verbose", KEY_VERBOSE, NULL, 0, "Print audit findings and clean virtual machines too", 0},
    {0},
};

static const struct argp argp = {
    .options = options_table,
    .parser = parse,
    .doc =
        "Judges the virtual machines of a cluster as the webhook would if they were created now, "
        "and says what enforce would refuse. Reads only.\n\n"
        "With --drain: which guests of the node would block its drain or be shut down, which have "
        "nowhere to go, and in which turns the limits would let the rest go."
        "\vExit status: 0 nothing refused or blocked, 1 something refused or blocked, 2 usage, 3 "
        "a file or the cluster cannot be read, 4 internal error.",
};

struct scan {
    struct lg_str ns; /* "" = all */
    struct lg_inventory *inventory;
    const struct lg_policy *policy;
    struct lg_scan_report report;
};

static void judge(struct scan *scan, enum lg_kind kind, struct lg_val object, struct lg_str ns,
                  struct lg_str name, struct lg_arena *arena)
{
    struct lg_judgement judgement = {0};
    const struct lg_engine_input input = {
        .inventory = scan->inventory,
        .policy = scan->policy,
        .kind = kind,
        .op = LG_OP_CREATE,
        .ns = ns,
        .name = name,
        .object = object,
        .now_unix_s = lg_clock_unix_s(),
    };
    lg_engine_judge(&input, arena, &judgement);
    lg_scan_item(&scan->report, &(struct lg_scan_item){
                                    .kind = kind, .ns = ns, .name = name, .judgement = &judgement});
}

/* One virtual machine: its record stays (whose guest an instance is), itself passes by. */
static enum lg_err_code on_machine(void *arg, const struct lg_listing_item *item,
                                   struct lg_err *err)
{
    struct scan *scan = arg;
    struct lg_record *record = NULL;
    struct lg_str ns = lg_json_str_at(item->object, "metadata.namespace");
    struct lg_str name = lg_json_str_at(item->object, "metadata.name");
    (void)err;
    if (item->unread != NULL) {
        lg_scan_item(&scan->report,
                     &(struct lg_scan_item){
                         .kind = LG_KIND_VM, .ns = ns, .name = name, .unread = item->unread});
        return LG_E_OK;
    }
    if (ns.n == 0)
        ns = LG_STR("default");
    if (scan->ns.n != 0 && !lg_str_eq(scan->ns, ns))
        return LG_E_OK;
    if (lg_record_new_as(LG_KIND_VM, item->object, &record, NULL) == LG_E_OK)
        lg_inventory_set(scan->inventory, record);
    judge(scan, LG_KIND_VM, item->object, ns, name, item->arena);
    return LG_E_OK;
}

/* Instances that no virtual machine of their name stands for. */
static void judge_instances(struct scan *scan)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    const struct lg_record *record;
    lg_arena_init(&arena);
    for (size_t pos = 0;
         (record = lg_inventory_next(scan->inventory, LG_KIND_VMI, &pos)) != NULL;) {
        const struct lg_vmi_record *vmi = (const struct lg_vmi_record *)record;
        const struct lg_record *machine = NULL;
        if ((scan->ns.n != 0 && !lg_str_eq(scan->ns, record->ns)) ||
            lg_inventory_get(scan->inventory, LG_KIND_VM, record->ns, record->name, &machine) ==
                LG_FOUND ||
            lg_str_is(vmi->phase, "Succeeded") || lg_str_is(vmi->phase, "Failed"))
            continue;
        lg_arena_reset(&arena);
        judge(scan, LG_KIND_VMI, lg_vmi_object(vmi, &arena), record->ns, record->name, &arena);
    }
}

static int scan_machines(const struct options *options, struct lg_scan_source *source,
                         const struct lg_policy *policy, struct lg_err *err)
{
    struct scan scan = {.ns = lg_str_of(options->ns),
                        .inventory = lg_scan_inventory(source),
                        .policy = policy,
                        .report = {.out = stdout,
                                   .inventory = lg_scan_inventory(source),
                                   .kinds = lg_scan_kinds(JUDGED),
                                   .json = options->json,
                                   .color = lg_output_color(stdout),
                                   .verbose = options->verbose}};
    lg_scan_begin(&scan.report);
    if (lg_scan_machines(source, on_machine, &scan, err) != LG_E_OK)
        return lg_cli_fail(err);
    judge_instances(&scan);
    lg_scan_end(&scan.report);
    return scan.report.refused != 0 ? LG_EXIT_DENIED : LG_EXIT_OK;
}

static int scan_drain(const struct options *options, const struct lg_scan_source *source,
                      struct lg_err *err)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_drain drain;
    lg_arena_init(&arena);
    if (lg_drain_forecast(lg_scan_inventory(source), lg_str_of(options->drain),
                          lg_str_of(options->ns), &arena, &drain, err) != LG_E_OK)
        return lg_cli_fail(err);
    lg_drain_print(&drain, stdout, options->json, lg_output_color(stdout));
    size_t stuck = drain.counts[LG_DRAIN_BLOCKS] + drain.counts[LG_DRAIN_NO_TARGET] +
                   drain.counts[LG_DRAIN_WAITS];
    return stuck != 0 ? LG_EXIT_DENIED : LG_EXIT_OK;
}

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)
LG_DEFINE_CLEANUP(struct lg_scan_source, lg_scan_close)

int lg_cmd_scan(int argc, char **argv)
{
    struct options options lg_cleanup(options_done) = {0};
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = NULL;
    struct lg_scan_source *source lg_cleanup(lg_scan_close_cleanup) = NULL;
    struct lg_err err = {0};

    lg_cli_parse(&argp, argc, argv, &options);
    const struct lg_scan_options from = {.kubeconfig = options.kubeconfig,
                                         .inventory = options.inventory,
                                         .n_inventory = options.n_inventory,
                                         .ns = lg_str_of(options.ns),
                                         .progress = isatty(STDERR_FILENO),
                                         .judged = options.drain != NULL ? LG_BIT(LG_KIND_MIGRATION)
                                                                         : JUDGED};
    if (lg_cli_policy(options.policy, &policy, &err) != LG_E_OK ||
        lg_scan_open(&from, &source, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    lg_cli_note_version(lg_scan_inventory(source), policy);
    if (options.drain != NULL)
        return scan_drain(&options, source, &err);
    return scan_machines(&options, source, policy, &err);
}
