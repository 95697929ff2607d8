/* A folder a case: tests/rules/<name>/<case>/ with
 *
 *   object.yaml     what is judged; without it old.yaml is deleted
 *   old.yaml        the object before an update
 *   inventory.yaml  the cluster; kinds that stand there are complete
 *   policy.yaml
 *   request.yaml    username (none: offline), groups, operation, dryRun, subresource, namespace,
 *                   known (more kinds that are complete), now (a time)
 *   expect.json     {"verdict": "deny", "findings": [{"rule", "action", "field", "about"?,
 *                   "message"?, "fix"?}]}: the exact list of findings; message and fix are parts of
 *                   the text. "skipped" and "refused" (a path) where they are expected. "mended":
 *                   {"patch": [...], "says": [parts of the text]}: what /mutate makes of it.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/file.h"
#include "rules/kube/meta.h"
#include "tests/support/world.h"

static void path_of(const char *folder, const char *file, char *path, size_t size)
{
    int n = snprintf(path, size, "%s/%s", folder, file);
    assert_true(n > 0 && (size_t)n < size);
}

static struct lg_val load(struct lg_world *world, const char *folder, const char *file)
{
    char path[4096];
    path_of(folder, file, path, sizeof(path));
    return lg_world_object_file(world, path);
}

static void prepare(struct lg_world *world, const char *folder)
{
    char path[4096];
    path_of(folder, "inventory.yaml", path, sizeof(path));
    if (access(path, F_OK) == 0)
        lg_world_add_file(world, path);
    path_of(folder, "policy.yaml", path, sizeof(path));
    if (access(path, F_OK) != 0)
        return;
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(lg_file_read(path, 1 << 20, &text, &n, NULL), LG_E_OK);
    lg_world_set_policy(world, (struct lg_str){text, n}, path);
    free(text);
}

static enum lg_op op_of(struct lg_val operation, const struct lg_engine_input *input)
{
    static const char *const names[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
    for (int op = LG_OP_CREATE; op <= LG_OP_CONNECT; op++)
        if (lg_json_is(operation, names[op]))
            return (enum lg_op)op;
    assert_false(lg_json_there(operation));
    if (!lg_json_there(input->object))
        return LG_OP_DELETE;
    return lg_json_there(input->old_object) ? LG_OP_UPDATE : LG_OP_CREATE;
}

static void know(struct lg_world *world, struct lg_val kinds)
{
    for (struct lg_json_iter it = lg_json_iter(kinds); lg_json_next(&it);) {
        int kind = 0;
        while (kind < LG_KIND_COUNT && !lg_json_is(it.val, lg_gvk((enum lg_kind)kind)->kind))
            kind++;
        assert_true(kind < LG_KIND_COUNT);
        lg_world_know(world, LG_BIT(kind));
    }
}

/* A misspelt key must not make a case weaker than it looks. */
static void only_keys(const char *folder, struct lg_val v, const char *const *keys)
{
    for (struct lg_json_iter it = lg_json_iter(v); lg_json_next(&it);) {
        const char *const *key = keys;
        while (*key != NULL && !lg_str_is(it.key, *key))
            key++;
        if (*key == NULL)
            fail_msg("%s: unknown key %.*s", folder, LG_ARG(it.key));
    }
}

/* What the case asks for; points into the world. */
static struct lg_engine_input input_of(struct lg_world *world, const char *folder)
{
    static const char *const keys[] = {"username",  "groups", "operation", "dryRun", "subresource",
                                       "namespace", "known",  "now",       NULL};
    struct lg_val request = load(world, folder, "request.yaml");
    only_keys(folder, request, keys);
    struct lg_engine_input input = {
        .object = load(world, folder, "object.yaml"),
        .old_object = load(world, folder, "old.yaml"),
        .groups = lg_json_get(request, "groups"),
        .ns = lg_json_str(lg_json_get(request, "namespace")),
        .subresource = lg_json_there(lg_json_get(request, "subresource")),
        .dry_run = lg_json_bool(lg_json_get(request, "dryRun"), false),
    };
    struct lg_val now = lg_json_get(request, "now");
    if (lg_json_there(now))
        assert_int_equal(lg_meta_time(lg_json_str(now), &input.now_unix_s), LG_E_OK);
    input.username = lg_json_str(lg_json_get(request, "username"));
    input.op = op_of(lg_json_get(request, "operation"), &input);
    know(world, lg_json_get(request, "known"));
    return lg_world_input(world, input);
}

static bool contains(struct lg_str text, struct lg_val part)
{
    struct lg_str wanted = lg_json_str(part);
    return wanted.n == 0 || memmem(text.p, text.n, wanted.p, wanted.n) != NULL;
}

static bool finding_is(const struct lg_finding *finding, struct lg_val expected)
{
    struct lg_val about = lg_json_get(expected, "about");
    return lg_json_is(lg_json_get(expected, "rule"), finding->rule->id) &&
           lg_json_is(lg_json_get(expected, "action"), lg_action_name(finding->action)) &&
           lg_str_eq(lg_json_str(lg_json_get(expected, "field")), finding->field) &&
           (!lg_json_there(about) || lg_json_is_str(about, finding->about)) &&
           contains(finding->message, lg_json_get(expected, "message")) &&
           contains(finding->fix, lg_json_get(expected, "fix"));
}

static bool as_expected(const struct lg_judgement *got, struct lg_val expected)
{
    static const char *const requesters[] = {"person", "controller", "bypass"};
    struct lg_val findings = lg_json_get(expected, "findings");
    struct lg_val requester = lg_json_get(expected, "requester");
    if (lg_json_kind(findings) != LG_JSON_ARRAY ||
        !lg_json_is(lg_json_get(expected, "verdict"), lg_action_name(got->verdict)) ||
        got->skipped != lg_json_bool(lg_json_get(expected, "skipped"), false) ||
        !lg_str_is(lg_json_str(lg_json_get(expected, "refused")), got->refusal.where) ||
        (lg_json_there(requester) && !lg_json_is(requester, requesters[got->requester])) ||
        lg_json_len(findings) != got->n)
        return false;
    for (struct lg_json_iter it = lg_json_iter(findings); lg_json_next(&it);)
        if (!finding_is(&got->findings[it.index], it.val))
            return false;
    return true;
}

/* The patch as a list, [] for none. */
static struct lg_val patch_of(struct lg_world *world, const struct lg_mending *got)
{
    struct lg_val patch = LG_NONE;
    struct lg_str text = got->patch.n != 0 ? got->patch : LG_STR("[]");
    assert_int_equal(lg_json_parse(&world->arena, text, &patch, NULL), LG_E_OK);
    return patch;
}

static bool mended_as_expected(struct lg_world *world, const char *folder,
                               const struct lg_engine_input *input, struct lg_val expected)
{
    struct lg_mending got;
    struct lg_val says = lg_json_get(expected, "says");
    if (!lg_json_there(expected))
        return true;
    lg_engine_mend(input, LG_MEND_ADMISSION, &world->arena, &got);
    bool ok = lg_json_equal(patch_of(world, &got), lg_json_get(expected, "patch")) &&
              lg_json_len(says) == got.n_notes;
    for (struct lg_json_iter it = lg_json_iter(says); ok && lg_json_next(&it);)
        ok = contains(got.notes[it.index].text, it.val);
    if (ok)
        return true;
    print_error("%s: mended %.*s\n", folder, LG_ARG(got.patch));
    for (size_t i = 0; i < got.n_notes; i++)
        print_error("  %s: %.*s\n", got.notes[i].rule->id, LG_ARG(got.notes[i].text));
    for (size_t i = 0; i < got.n_reasons; i++)
        print_error("  %s stays: %.*s\n", got.reasons[i].rule->id, LG_ARG(got.reasons[i].text));
    return false;
}

static void print(const char *folder, const struct lg_judgement *got)
{
    print_error("%s: got verdict %s%s %s %s\n", folder, lg_action_name(got->verdict),
                got->skipped ? ", skipped" : "", got->refusal.where, got->refusal.text);
    for (size_t i = 0; i < got->n; i++) {
        const struct lg_finding *f = &got->findings[i];
        print_error("  %s %s at %.*s about %.*s\n    %.*s\n    fix: %.*s\n", f->rule->id,
                    lg_action_name(f->action), LG_ARG(f->field), LG_ARG(f->about),
                    LG_ARG(f->message), LG_ARG(f->fix));
    }
}

static void check_expectation(const char *folder, struct lg_val expected)
{
    static const char *const keys[] = {"verdict",   "findings", "skipped", "refused",
                                       "requester", "mended",   NULL};
    static const char *const mended_keys[] = {"patch", "says", NULL};
    static const char *const finding_keys[] = {"rule",    "action", "field", "about",
                                               "message", "fix",    NULL};
    only_keys(folder, expected, keys);
    only_keys(folder, lg_json_get(expected, "mended"), mended_keys);
    struct lg_val findings = lg_json_get(expected, "findings");
    for (struct lg_json_iter it = lg_json_iter(findings); lg_json_next(&it);)
        only_keys(folder, it.val, finding_keys);
}

static bool case_holds(const char *folder)
{
    struct lg_world world;
    struct lg_judgement got;
    lg_world_init(&world);
    prepare(&world, folder);
    struct lg_engine_input input = input_of(&world, folder);
    lg_engine_judge(&input, &world.arena, &got);
    struct lg_val expected = load(&world, folder, "expect.json");
    check_expectation(folder, expected);
    bool ok = as_expected(&got, expected);
    if (!ok)
        print(folder, &got);
    ok = mended_as_expected(&world, folder, &input, lg_json_get(expected, "mended")) && ok;
    lg_world_done(&world);
    return ok;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

struct tally {
    size_t run, failed;
};

static void run_folder(const char *folder, struct tally *tally)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_visible, alphasort);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        char path[4096];
        path_of(folder, entries[i]->d_name, path, sizeof(path));
        free(entries[i]);
        tally->run++;
        tally->failed += !case_holds(path);
    }
    free(entries);
}

static void every_case_holds(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct dirent **entries = NULL;
    int n = scandir(LG_SOURCE_DIR "/tests/rules", &entries, is_visible, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        char path[4096];
        path_of(LG_SOURCE_DIR "/tests/rules", entries[i]->d_name, path, sizeof(path));
        free(entries[i]);
        run_folder(path, &tally);
    }
    free(entries);
    print_message("%zu cases, %zu failed\n", tally.run, tally.failed);
    assert_true(tally.run > 0);
    assert_int_equal(tally.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
