/* What the commands share: the nearest name, wrapped text, colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "webhook/cli/bundle.h"
#include "webhook/cli/cli.h"
#include "webhook/cli/output.h"

static const char *nearest(const char *typed)
{
    static const char *const names[] = {"check", "rules", "policy", "serve", "certs", "version"};

    return lg_cli_nearest(lg_str_of(typed), names, sizeof names / sizeof *names);
}

static void a_mistyped_name_means_the_nearest_one(void **state)
{
    (void)state;
    assert_string_equal(nearest("chekc"), "check");
    assert_string_equal(nearest("chec"), "check");
    assert_string_equal(nearest("rule"), "rules");
    assert_string_equal(nearest("polciy"), "policy");
    assert_string_equal(nearest("cert"), "certs");
    assert_string_equal(nearest("ver"), "version");
}

static void what_is_far_from_everything_means_nothing(void **state)
{
    char long_name[4096];

    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_null(nearest(""));
    assert_null(nearest("frobnicate"));
    assert_null(nearest(long_name));
}

static void text_is_wrapped_at_blanks_and_hangs_behind_its_lead(void **state)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};

    (void)state;
    for (int i = 0; i < 40; i++)
        lg_buf_printf(&text, "%sword%02d", i != 0 ? " " : "", i);
    lg_output_wrap(&buf, "why: ", lg_buf_view(&text));
    assert_true(lg_str_starts(lg_buf_view(&buf), "why: word00 word01"));
    assert_int_equal(buf.p[buf.n - 1], '\n');
    size_t lines = 0;
    for (const char *line = buf.p; *line != '\0'; lines++) {
        size_t n = strcspn(line, "\n");
        assert_in_range(n, 1, LG_OUTPUT_COLUMNS);
        assert_true(lines == 0 || memcmp(line, "     word", 9) == 0);
        line += n + 1;
    }
    assert_int_equal(lines, 4);
}

static void wrapped_text_cannot_steer_a_terminal(void **state)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};

    (void)state;
    lg_output_wrap(&buf, "- ", LG_STR("a\033[31m b"));
    assert_string_equal(buf.p, "- a\\x1b[31m b\n");
}

static void colour_is_added_only_when_asked_for(void **state)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};

    (void)state;
    lg_output_paint(&buf, false, LG_COLOR_RED, "deny");
    assert_string_equal(buf.p, "deny");
    buf.n = 0;
    lg_output_paint(&buf, true, LG_COLOR_RED, "deny");
    assert_string_equal(buf.p, "\033[1;31mdeny\033[0m");
}

static struct lg_val parse(struct lg_arena *arena, const char *text)
{
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};

    assert_int_equal(lg_json_parse(arena, lg_str_of(text), &root, &err), LG_E_OK);
    return root;
}

static void a_path_leads_to_its_value_or_as_far_as_there_is_something(void **state)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_val root = parse(&arena, "{\"spec\":{\"volumes\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
                                       "\"x.y/z\":{\"k\":1}},\"none\":null}");
    static const struct {
        const char *path, *text;
    } cases[] = {
        {"spec.volumes[1].name", "\"b\""},
        {"spec.volumes[0]", "{\"name\":\"a\"}"},
        {"spec[\"x.y/z\"].k", "1"},
        {"spec.volumes[1].size", "{\"name\":\"b\"}"},
        {"spec.volumes[7].name", "[{\"name\":\"a\"},{\"name\":\"b\"}]"},
        {"spec.volumes[99999999999999999999]", "[{\"name\":\"a\"},{\"name\":\"b\"}]"},
        {"spec.volumes[1", "{\"name\":\"b\"}"},
        {"spec[\"x.y/z", "{\"k\":1}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lg_str got = lg_json_text(lg_bundle_resolve(root, cases[i].path));
        assert_true(lg_str_is(got, cases[i].text));
    }
    assert_int_equal(lg_bundle_resolve(root, "none").i, root.i);
    assert_int_equal(lg_bundle_resolve(root, "").i, root.i);
    assert_int_equal(lg_bundle_resolve(root, "...").i, root.i);
}

static struct lg_manifest_object claim(struct lg_arena *arena, const char *text)
{
    return (struct lg_manifest_object){
        .object = parse(arena, text), .file = "c.yaml", .document = 1, .kind = LG_KIND_CLAIM};
}

static void a_claim_gets_the_volume_mode_that_the_api_server_fills_in(void **state)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_manifest_object plain =
        claim(&arena, "{\"kind\":\"PersistentVolumeClaim\",\n\"spec\":{\n\"accessModes\":[]}}");
    struct lg_manifest_object empty = claim(&arena, "{\"spec\":{}}");
    struct lg_manifest_object block = claim(&arena, "{\"spec\":{\"volumeMode\":\"Block\"}}");
    struct lg_manifest_object shapeless = claim(&arena, "{\"spec\":[]}");

    (void)state;
    struct lg_val filled = lg_bundle_defaulted(&plain, &arena);
    assert_true(lg_json_is(lg_json_at(filled, "spec.volumeMode"), "Filesystem"));
    assert_int_equal(lg_json_kind(lg_json_at(filled, "spec.accessModes")), LG_JSON_ARRAY);
    assert_int_equal(lg_json_mark(lg_json_at(filled, "spec.accessModes")).line, 3);
    assert_true(lg_json_is(lg_json_at(lg_bundle_defaulted(&empty, &arena), "spec.volumeMode"),
                           "Filesystem"));
    struct lg_manifest_object null =
        claim(&arena, "{\"spec\":{\"volumeMode\":null,\"accessModes\":[\"ReadWriteOnce\"]}}");
    struct lg_str text = lg_json_text(lg_bundle_defaulted(&null, &arena));
    assert_string_equal(
        lg_arena_str(&arena, text).p,
        "{\"spec\":{\"volumeMode\":\"Filesystem\",\"accessModes\":[\"ReadWriteOnce\"]}}");
    assert_int_equal(lg_bundle_defaulted(&block, &arena).i, block.object.i);
    assert_ptr_equal(lg_bundle_defaulted(&block, &arena).doc, block.object.doc);
    assert_ptr_equal(lg_bundle_defaulted(&shapeless, &arena).doc, shapeless.object.doc);
}

static void positions_stay_the_users_when_a_default_is_filled_in(void **state)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_val list =
        parse(&arena, "[{},{\"kind\":\"c\",\"spec\":{\"accessModes\":[]},\"z\":1}]");
    struct lg_doc doc = *list.doc;
    struct lg_mark marks[16];

    (void)state;
    assert_in_range(doc.count, 1, 16);
    for (uint32_t i = 0; i < doc.count; i++)
        marks[i] = (struct lg_mark){100 + i, i};
    doc.marks = marks;
    struct lg_val object = lg_json_item((struct lg_val){&doc, 0}, 1);
    struct lg_manifest_object item = {.object = object, .file = "c.yaml", .kind = LG_KIND_CLAIM};
    struct lg_val filled = lg_bundle_defaulted(&item, &arena);
    static const char *const paths[] = {"kind", "spec", "spec.accessModes", "z"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(lg_json_mark(lg_json_at(filled, paths[i])).line,
                         lg_json_mark(lg_json_at(object, paths[i])).line);
    assert_int_equal(lg_json_mark(lg_json_at(filled, "spec.volumeMode")).line,
                     lg_json_mark(lg_json_at(object, "spec")).line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistyped_name_means_the_nearest_one),
        cmocka_unit_test(what_is_far_from_everything_means_nothing),
        cmocka_unit_test(text_is_wrapped_at_blanks_and_hangs_behind_its_lead),
        cmocka_unit_test(wrapped_text_cannot_steer_a_terminal),
        cmocka_unit_test(colour_is_added_only_when_asked_for),
        cmocka_unit_test(a_path_leads_to_its_value_or_as_far_as_there_is_something),
        cmocka_unit_test(a_claim_gets_the_volume_mode_that_the_api_server_fills_in),
        cmocka_unit_test(positions_stay_the_users_when_a_default_is_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
