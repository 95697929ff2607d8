/* livegate check: judges files, as the webhook would judge them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/core/mem.h"
#include "rules/virt/versions.h"
#include "webhook/cli/bundle.h"
#include "webhook/cli/cli.h"
#include "webhook/cli/fix.h"
#include "webhook/cli/output.h"

enum { KEY_INVENTORY = 'i', KEY_VERBOSE = 'v' };
enum { KEY_STRICT = 256, KEY_EXPLAIN, KEY_KUBEVIRT_VERSION, KEY_FIX, KEY_WRITE };

struct options {
    const char **paths, **inventory;
    size_t n_paths, n_inventory;
    const char *policy;
    const struct lg_check_format *format;
    bool strict, explain, verbose, fix, write;
    int kubevirt_version; /* 100 * major + minor, 0 = from the KubeVirt CR */
};

static void options_done(struct options *options)
{
    free(options->paths);
    free(options->inventory);
}

/* "1.5", "v1.5" or "v1.5.3": 105; "auto": 0; else -1. */
static int version_of(const char *text)
{
    if (strcmp(text, "auto") == 0)
        return 0;
    int version = lg_version_read(lg_str_of(text));
    return version != 0 ? version : -1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case KEY_INVENTORY:
        lg_cli_append(&options->inventory, &options->n_inventory, arg);
        return 0;
    case 'p':
        options->policy = arg;
        return 0;
    case 'o':
        options->format = lg_cli_wants_json(arg, state) ? &lg_check_json : &lg_check_table;
        return 0;
    case KEY_STRICT:
        options->strict = true;
        return 0;
    case KEY_EXPLAIN:
        options->explain = true;
        return 0;
    case KEY_VERBOSE:
        options->verbose = true;
        return 0;
    case KEY_KUBEVIRT_VERSION:
        options->kubevirt_version = version_of(arg);
        if (options->kubevirt_version < 0)
            argp_error(state, "--kubevirt-version is like 1.5 or v1.5.3, or auto, not \"%s\"", arg);
        return 0;
    case KEY_FIX:
        options->fix = true;
        return 0;
    case KEY_WRITE:
        options->write = true;
        return 0;
    case ARGP_KEY_END:
        if (options->write && !options->fix)
            argp_error(state, "--write goes with --fix");
        for (size_t i = 0; options->write && i < options->n_paths; i++)
            if (strcmp(options->paths[i], "-") == 0)
                argp_error(state, "--write cannot write to standard input");
        return 0;
    case ARGP_KEY_ARG:
        lg_cli_append(&options->paths, &options->n_paths, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which files? PATH is a file, a directory or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options_table[] = {
    {"inventory", KEY_INVENTORY, "PATH", 0,
     "What the cluster has: files or directories, as `kubectl get ... -o yaml` writes them; may be "
     "given many times",
     0},
    LG_CLI_OPTION_POLICY,
    LG_CLI_OPTION_OUTPUT,
    {"strict", KEY_STRICT, NULL, 0, "What cannot be known from the files counts as denied", 0},
    {"explain", KEY_EXPLAIN, NULL, 0, "Say why of each finding, and of each node", 0},
    {"kubevirt-version", KEY_KUBEVIRT_VERSION, "VERSION", 0,
     "Judge as for this KubeVirt (1.5), whatever the KubeVirt CR says", 0},
    {"verbose", KEY_VERBOSE, NULL, 0, "Print audit findings and clean claims too", 0},
    {"fix", KEY_FIX, NULL, 0, "Print what can be mended as a diff, and what needs a person", 0},
    {"write", KEY_WRITE, NULL, 0, "With --fix: write the repairs into the files", 0},
    {0},
};

static const struct argp argp = {
    .options = options_table,
    .parser = parse,
    .args_doc = "PATH...",
    .doc = "Judges the objects in files as the webhook would when they are created.\n\n"
           "PATH is a file, a directory or - for standard input; YAML, JSON and lists. Everything "
           "that is given is one bundle: a claim in it is there for its virtual machine."
           "\vExit status: 0 nothing denied, 1 something denied, 2 usage, 3 input not readable, "
           "4 internal error.",
};

static void judge(const struct options *options, const struct lg_bundle *bundle,
                  const struct lg_policy *policy, const struct lg_manifest_object *source,
                  struct lg_check_report *report)
{
    struct lg_judgement judgement = {0};
    struct lg_check_item item = {
        .source = source,
        .object = lg_bundle_defaulted(source, &report->arena),
        .ns = lg_bundle_namespace(source),
        .name = lg_json_str_at(source->object, "metadata.name"),
        .judgement = &judgement,
    };
    struct lg_engine_input input = {
        .inventory = bundle->inventory,
        .policy = policy,
        .kind = source->kind,
        .op = LG_OP_CREATE,
        .ns = item.ns,
        .name = item.name,
        .object = item.object,
        .kubevirt_version = options->kubevirt_version,
        .now_unix_s = (int64_t)time(NULL),
        .places = true,
    };
    lg_engine_judge(&input, &report->arena, &judgement);
    if (judgement.skipped) {
        report->others++;
    } else {
        lg_check_report_count(report, &judgement);
        options->format->item(report, &item);
    }
}

static int check(const struct options *options, const struct lg_bundle *bundle,
                 const struct lg_policy *policy)
{
    struct lg_check_report report;

    lg_check_report_init(&report, stdout, bundle->inventory);
    report.color = lg_output_color(stdout);
    report.explain = options->explain;
    report.verbose = options->verbose;
    options->format->begin(&report);
    for (size_t i = 0; i < bundle->given.n; i++) {
        judge(options, bundle, policy, &bundle->given.items[i], &report);
        lg_arena_reset(&report.arena);
    }
    options->format->end(&report);
    bool unknown = report.unsettled != 0;
    bool denied = report.deny != 0 || (options->strict && unknown);
    lg_check_report_done(&report);
    return denied ? LG_EXIT_DENIED : LG_EXIT_OK;
}

/* Denied is what the files say as they are now: without --write, a repair is only a proposal. */
static bool denies(const struct options *options, const struct lg_fixing *fixing)
{
    for (size_t i = 0; i < fixing->n_objects; i++) {
        const struct lg_fix_object *object = &fixing->objects[i];
        const struct lg_judgement *judgement = &object->judgement;
        if (options->write ? judgement->verdict == LG_ACTION_DENY : object->was_denied)
            return true;
        for (size_t k = 0; options->strict && k < judgement->n; k++)
            if (judgement->findings[k].action == LG_ACTION_PENDING)
                return true;
    }
    return false;
}

static int fix(const struct options *options, struct lg_bundle *bundle,
               const struct lg_policy *policy)
{
    struct lg_fixing fixing lg_cleanup(lg_fixing_done) = {0};
    const struct lg_fix_options how = {.policy = policy,
                                       .kubevirt_version = options->kubevirt_version,
                                       .now_unix_s = (int64_t)time(NULL)};
    struct lg_err err = {0};

    if (lg_fix(bundle, &how, &fixing, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    enum lg_err_code code = options->write ? lg_fix_write(&fixing, &err) : LG_E_OK;
    if (options->format == &lg_check_json)
        lg_fix_print_json(&fixing, stdout);
    else
        lg_fix_print_table(&fixing, stdout);
    if (code != LG_E_OK)
        return lg_cli_fail(&err);
    return denies(options, &fixing) ? LG_EXIT_DENIED : LG_EXIT_OK;
}

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)

int lg_cmd_check(int argc, char **argv)
{
    struct options options lg_cleanup(options_done) = {.format = &lg_check_table};
    struct lg_bundle bundle lg_cleanup(lg_bundle_done) = {0};
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = NULL;
    struct lg_err err = {0};

    lg_cli_parse(&argp, argc, argv, &options);
    if (lg_cli_policy(options.policy, &policy, &err) != LG_E_OK ||
        lg_bundle_read(&bundle, options.paths, options.n_paths, options.inventory,
                       options.n_inventory, &err) != LG_E_OK)
        return lg_cli_fail(&err);
    if (options.kubevirt_version == 0)
        lg_cli_note_version(bundle.inventory, policy);
    return options.fix ? fix(&options, &bundle, policy) : check(&options, &bundle, policy);
}
