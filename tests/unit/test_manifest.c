#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/core/mem.h"
#include "rules/manifest.h"
#include "rules/manifest_list.h"

struct fixture {
    char dir[64];
    struct lg_manifests manifests;
    struct lg_inventory *inv;
    char *files[64];
    size_t n_files;
};

static struct fixture fixture;

static int setup(void **state)
{
    (void)state;
    fixture = (struct fixture){.dir = "/tmp/livegate-test-manifest-XXXXXX"};
    if (mkdtemp(fixture.dir) == NULL)
        return -1;
    fixture.inv = lg_inventory_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lg_manifests_done(&fixture.manifests);
    lg_inventory_free(fixture.inv);
    for (size_t i = fixture.n_files; i-- > 0;) {
        remove(fixture.files[i]);
        free(fixture.files[i]);
    }
    return rmdir(fixture.dir);
}

static char *path_of(const char *name)
{
    struct lg_buf buf = {0};
    lg_buf_printf(&buf, "%s/%s", fixture.dir, name);
    assert_true(fixture.n_files < 64);
    fixture.files[fixture.n_files++] = buf.p;
    return buf.p;
}

static const char *write_file(const char *name, const char *text)
{
    char *path = path_of(name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return path;
}

static void read_path(const char *path)
{
    struct lg_err err = {0};
    if (lg_manifests_read(&fixture.manifests, path, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
}

static void read_text(const char *name, const char *text)
{
    read_path(write_file(name, text));
}

static void assert_object(size_t i, enum lg_kind kind, const char *name, uint32_t document,
                          uint32_t line, uint32_t column)
{
    assert_true(i < fixture.manifests.n);
    const struct lg_manifest_object *item = &fixture.manifests.items[i];
    assert_int_equal(item->kind, kind);
    struct lg_str got = lg_json_str_at(item->object, "metadata.name");
    if (!lg_str_is(got, name))
        fail_msg("object %zu is \"%.*s\", not \"%s\"", i, LG_ARG(got), name);
    assert_int_equal(item->document, document);
    assert_int_equal(item->mark.line, line);
    assert_int_equal(item->mark.column, column);
}

static void assert_unreadable(const char *name, const char *text, enum lg_err_code code,
                              const char *where, const char *message)
{
    const char *path = write_file(name, text);
    struct lg_err err = {0};
    assert_int_equal(lg_manifests_read(&fixture.manifests, path, &err), code);
    assert_int_equal(err.code, code);
    assert_int_equal(err.os_errno, 0);
    assert_false(err.truncated);
    char expected[256];
    snprintf(expected, sizeof expected, "%s%s", path, where);
    assert_string_equal(err.where, expected);
    assert_string_equal(err.text, message);
}

#define NODE(name) "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"" name "\"}}"

static void a_json_object_is_read_with_its_place(void **state)
{
    (void)state;
    read_text("a.json", "\n  " NODE("n1") "\n");
    assert_int_equal(fixture.manifests.n, 1);
    assert_object(0, LG_KIND_NODE, "n1", 1, 2, 3);
    assert_string_equal(fixture.manifests.items[0].file, fixture.files[0]);
}

static void json_documents_may_follow_each_other(void **state)
{
    (void)state;
    read_text("a.json", NODE("n1") NODE("n2") "\n" NODE("n3"));
    assert_int_equal(fixture.manifests.n, 3);
    assert_object(1, LG_KIND_NODE, "n2", 2, 1, 59);
    assert_object(2, LG_KIND_NODE, "n3", 3, 2, 1);
}

static void a_json_list_is_taken_apart(void **state)
{
    (void)state;
    read_text("a.json", "{\n\"items\": [\n  " NODE("n1") ",\n" NODE(
                            "n2") "\n ],\n"
                                  "\"kind\": \"List\", \"apiVersion\": \"v1\"}\n" NODE("n3"));
    assert_int_equal(fixture.manifests.n, 3);
    assert_object(0, LG_KIND_NODE, "n1", 1, 3, 3);
    assert_object(1, LG_KIND_NODE, "n2", 1, 4, 1);
    assert_object(2, LG_KIND_NODE, "n3", 2, 7, 1);
    struct lg_mark mark =
        lg_json_mark(lg_json_at(fixture.manifests.items[1].object, "metadata.name"));
    assert_int_equal(mark.line, 4);
}

static void a_list_whose_items_are_spelt_in_escapes_is_a_list(void **state)
{
    (void)state;
    read_text("a.json", "\n{\"kind\":\"List\",\"apiVersion\":\"v1\",\"\\u0069tems\":[" NODE(
                            "n1") ",\n " NODE("n2") "]}");
    assert_int_equal(fixture.manifests.n, 2);
    assert_object(0, LG_KIND_NODE, "n1", 1, 2, 48);
    assert_object(1, LG_KIND_NODE, "n2", 1, 3, 2);
}

static void empty_lists_hold_nothing(void **state)
{
    (void)state;
    read_text("a.json", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[ ]}"
                        "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":null}"
                        "{\"kind\":\"List\",\"apiVersion\":\"v1\"}"
                        "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[]}");
    assert_int_equal(fixture.manifests.n, 0);
}

static void items_inherit_their_kind_from_a_typed_list(void **state)
{
    (void)state;
    read_text("a.json", "{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"items\":["
                        "{\"metadata\":{\"name\":\"n1\"}}]}");
    read_text("b.yaml", "kind: PersistentVolumeClaimList\napiVersion: v1\nitems:\n"
                        "- metadata: {name: data, namespace: web}\n"
                        "- metadata: {name: more, namespace: web}\n"
                        "  kind: Pod\n");
    assert_int_equal(fixture.manifests.n, 3);
    assert_object(0, LG_KIND_NODE, "n1", 1, 1, 47);
    assert_object(1, LG_KIND_CLAIM, "data", 1, 4, 3);
    assert_object(2, LG_KIND_OTHER, "more", 1, 5, 3);
    struct lg_err err = {0};
    assert_int_equal(lg_manifests_fill(&fixture.manifests, fixture.inv, &err), LG_E_OK);
    const struct lg_claim *claim = NULL;
    assert_int_equal(lg_inventory_claim(fixture.inv, LG_STR("web"), LG_STR("data"), &claim),
                     LG_FOUND);
    assert_int_equal(lg_inventory_count(fixture.inv, LG_KIND_NODE), 1);
}

static void a_kind_that_only_ends_in_list_is_an_object(void **state)
{
    (void)state;
    read_text("a.json", "{\"kind\":\"AllowList\",\"apiVersion\":\"x.io/v1\",\"metadata\":"
                        "{\"name\":\"a\"},\"items\":{}}");
    assert_int_equal(fixture.manifests.n, 1);
    assert_object(0, LG_KIND_OTHER, "a", 1, 1, 1);
}

static void yaml_documents_are_read_and_empty_ones_passed_over(void **state)
{
    (void)state;
    read_text("a.yaml", "# nothing\n---\napiVersion: v1\nkind: Node\nmetadata:\n  name: n1\n---\n"
                        "---\n{apiVersion: v1, kind: Node, metadata: {name: n2}}\n");
    assert_int_equal(fixture.manifests.n, 2);
    assert_int_equal(fixture.manifests.items[0].mark.line, 3);
    assert_int_equal(fixture.manifests.items[1].mark.line, 9);
    assert_true(fixture.manifests.items[1].document > fixture.manifests.items[0].document);
}

static void yaml_that_begins_like_json_is_still_yaml(void **state)
{
    (void)state;
    read_text("a.yaml", "{apiVersion: v1, kind: Node, metadata: {name: n1}}\n");
    assert_int_equal(fixture.manifests.n, 1);
    assert_object(0, LG_KIND_NODE, "n1", 1, 1, 1);
}

static void a_yaml_list_is_taken_apart(void **state)
{
    (void)state;
    read_text("a.yaml", "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Node\n  metadata:\n"
                        "    name: n1\n- apiVersion: v1\n  kind: Node\n  metadata: {name: n2}\n"
                        "kind: List\nmetadata:\n  resourceVersion: \"\"\n");
    assert_int_equal(fixture.manifests.n, 2);
    assert_object(0, LG_KIND_NODE, "n1", 1, 3, 3);
    assert_object(1, LG_KIND_NODE, "n2", 1, 7, 3);
}

static void a_directory_is_read_in_order_of_names(void **state)
{
    (void)state;
    write_file("b.yml", "apiVersion: v1\nkind: Node\nmetadata: {name: b}\n");
    write_file("a.json", NODE("a"));
    write_file("c.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: c}\n");
    write_file("README.md", "not: [read");
    write_file(".hidden.yaml", "not: [read");
    read_path(fixture.dir);
    assert_int_equal(fixture.manifests.n, 3);
    assert_object(0, LG_KIND_NODE, "a", 1, 1, 1);
    assert_object(1, LG_KIND_NODE, "b", 1, 1, 1);
    assert_object(2, LG_KIND_NODE, "c", 1, 1, 1);
}

static void standard_input_is_named_by_a_dash(void **state)
{
    (void)state;
    const char *path = write_file("stdin.json", NODE("n1"));
    int saved = dup(STDIN_FILENO);
    assert_non_null(freopen(path, "r", stdin));
    read_path("-");
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_int_equal(fixture.manifests.n, 1);
    assert_string_equal(fixture.manifests.items[0].file, "-");
}

static void what_is_no_object_is_an_error_with_its_place(void **state)
{
    (void)state;
    assert_unreadable("a.json", "{}", LG_E_INVALID, ":1:1", "the object says no kind");
    assert_unreadable("b.json", "\n {\"kind\":\"Node\"}", LG_E_INVALID, ":2:2",
                      "the object says no apiVersion");
    assert_unreadable("c.yaml", "apiVersion: v1\nkind: Node\n---\n- 1\n", LG_E_INVALID, ":4:1",
                      "expected an object with apiVersion and kind");
    assert_unreadable("d.json",
                      "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[" NODE("n") ",\n7]}",
                      LG_E_INVALID, ":2:1", "items: expected objects with commas between them");
    assert_unreadable(
        "e.json", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[" NODE("n") NODE("m") "]}",
        LG_E_INVALID, ":1:100", "items: expected objects with commas between them");
    assert_unreadable("f.json",
                      "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[\n"
                      "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[]}]}",
                      LG_E_UNSUPPORTED, ":2:1", "a List inside a List is not read");
    assert_unreadable("g.json", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":{}}",
                      LG_E_INVALID, ":1:42", "items: expected a list");
}

static void broken_json_is_named_where_it_breaks(void **state)
{
    (void)state;
    struct lg_err err = {0};
    const char *path = write_file(
        "a.json",
        "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[\n" NODE("n") ",\n {\"a\":tru}]}");
    assert_int_equal(lg_manifests_read(&fixture.manifests, path, &err), LG_E_INVALID);
    assert_non_null(strstr(err.where, "a.json:3:"));
    err = (struct lg_err){0};
    path = write_file("b.json", "{\"kind\": \"Node\"");
    assert_int_equal(lg_manifests_read(&fixture.manifests, path, &err), LG_E_INVALID);
    assert_non_null(strstr(err.where, "b.json:1:"));
    err = (struct lg_err){0};
    path = write_file("c.json", "{\"kind\":\"Node\",\n\"apiVersion\":\"v1\",\"kind\":\"Node\"}");
    assert_int_equal(lg_manifests_read(&fixture.manifests, path, &err), LG_E_LIMIT);
    assert_non_null(strstr(err.where, "c.json:1:1"));
    assert_non_null(strstr(err.text, "kind: "));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct lg_err err = {0};
    assert_int_equal(lg_manifests_read(&fixture.manifests, "/nowhere/at-all.yaml", &err),
                     LG_E_NOTFOUND);
    assert_int_equal(err.code, LG_E_NOTFOUND);
    assert_non_null(strstr(err.where, "/nowhere/at-all.yaml"));
}

static void filling_makes_the_kinds_known_that_stand_there(void **state)
{
    (void)state;
    read_text("a.json", NODE("n1") "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}"
                                   "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":"
                                   "\"VirtualMachineInstanceMigration\",\"metadata\":"
                                   "{\"generateName\":\"m-\"}}");
    struct lg_err err = {0};
    assert_int_equal(lg_manifests_fill(&fixture.manifests, fixture.inv, &err), LG_E_OK);
    assert_int_equal(lg_inventory_known(fixture.inv, LG_KIND_NODE), LG_KNOWN);
    assert_int_equal(lg_inventory_known(fixture.inv, LG_KIND_CLAIM), LG_NOT_GIVEN);
    assert_int_equal(lg_inventory_known(fixture.inv, LG_KIND_MIGRATION), LG_KNOWN);
    assert_int_equal(lg_inventory_count(fixture.inv, LG_KIND_MIGRATION), 0);
    assert_int_equal(lg_inventory_count(fixture.inv, LG_KIND_NODE), 1);
}

static void an_object_that_cannot_be_kept_is_named_with_file_and_path(void **state)
{
    (void)state;
    read_text("a.json", NODE("n1") "\n{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":"
                                   "{\"name\":\"n2\"},\"spec\":{\"taints\":7}}");
    struct lg_err err = {0};
    assert_int_equal(lg_manifests_fill(&fixture.manifests, fixture.inv, &err), LG_E_INVALID);
    assert_int_equal(err.code, LG_E_INVALID);
    assert_non_null(strstr(err.where, "a.json:2:1"));
    assert_string_equal(err.text, "spec.taints: expected a list, got a number");
}

/* More nodes than the reader takes in one document. */
enum { MANY = 30000 };

static void a_json_list_may_be_longer_than_a_document(void **state)
{
    (void)state;
    struct lg_buf buf = {0};
    lg_buf_puts(&buf, "{\"apiVersion\":\"v1\",\"items\":[");
    for (int i = 0; i < MANY; i++)
        lg_buf_printf(&buf,
                      "%s\n{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n%d\","
                      "\"labels\":{\"x\":\"items\\\": [ }\"}}}",
                      i != 0 ? "," : "", i);
    lg_buf_puts(&buf, "\n],\"kind\":\"List\"}");
    read_text("a.json", buf.p);
    lg_buf_done(&buf);
    assert_int_equal(fixture.manifests.n, MANY);
    assert_object(MANY - 1, LG_KIND_NODE, "n29999", 1, MANY + 1, 1);
}

static void a_yaml_list_may_be_longer_than_a_document(void **state)
{
    (void)state;
    for (int indent = 0; indent <= 2; indent += 2) {
        struct lg_buf buf = {0};
        lg_buf_puts(&buf, "apiVersion: v1\nitems:\n");
        for (int i = 0; i < MANY; i++)
            lg_buf_printf(&buf,
                          "%*s- apiVersion: v1\n%*s  kind: Node\n\n%*s  metadata:\n%*s    name: "
                          "n%d\n%*s    labels:\n%*s      x: |\n%*s        - apiVersion: v2\n# -\n",
                          indent, "", indent, "", indent, "", indent, "", i, indent, "", indent, "",
                          indent, "");
        lg_buf_puts(&buf, "kind: List\nmetadata:\n  resourceVersion: \"\"\n");
        size_t n = fixture.manifests.n;
        read_text(indent == 0 ? "a.yaml" : "b.yaml", buf.p);
        lg_buf_done(&buf);
        assert_int_equal(fixture.manifests.n - n, MANY);
        assert_object(n, LG_KIND_NODE, "n0", 1, 3, 3 + (uint32_t)indent);
        assert_object(n + MANY - 1, LG_KIND_NODE, "n29999", 1, 3 + 9 * (MANY - 1),
                      3 + (uint32_t)indent);
    }
}

static void pieces_of_json_are_found_without_reading_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *whole, *items; /* whole NULL: not found */
    } rows[] = {
        {"{}", "{}", NULL},
        {"{\"items\":[1]} rest", "{\"items\":[1]}", "1"},
        {"{ \"items\" : [ {\"a\":\"]\"} ] }", "{ \"items\" : [ {\"a\":\"]\"} ] }",
         " {\"a\":\"]\"} "},
        {"{\"a\":{\"items\":[1]}}", "{\"a\":{\"items\":[1]}}", NULL},
        {"{\"a\":\"items\",\"b\":[2]}", "{\"a\":\"items\",\"b\":[2]}", NULL},
        {"{\"items\":{}}", "{\"items\":{}}", NULL},
        {"{\"items\":\"[1]\"}", "{\"items\":\"[1]\"}", NULL},
        {"{\"items\":[1],\"items\":[2]}", "{\"items\":[1],\"items\":[2]}", "1"},
        {"{\"a\\\"items\":[1]}", "{\"a\\\"items\":[1]}", NULL},
        {"", NULL, NULL},
        {"[1]", NULL, NULL},
        {"{", NULL, NULL},
        {"{\"items\":[", NULL, NULL},
        {"{\"items\":[{}", NULL, NULL},
        {"{\"items", NULL, NULL},
        {"{\"items\\", NULL, NULL},
        {"{\"items\"", NULL, NULL},
        {"{\"items\":", NULL, NULL},
        {"{\"a\":[}", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* Of its exact size on the heap, so that a sanitizer sees one byte too many. */
        size_t n = strlen(rows[i].text);
        char *text = lg_calloc(n, 1);
        memcpy(text, rows[i].text, n);
        struct lg_list_text found;
        bool whole = lg_list_find_json((struct lg_str){text, n}, &found);
        if (whole != (rows[i].whole != NULL) ||
            (whole && (!lg_str_is(found.whole, rows[i].whole) ||
                       (found.items.p != NULL) != (rows[i].items != NULL) ||
                       (rows[i].items != NULL && !lg_str_is(found.items, rows[i].items)))))
            fail_msg("%s: %.*s", rows[i].text, LG_ARG(found.whole));
        free(text);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_json_object_is_read_with_its_place),
        TEST(json_documents_may_follow_each_other),
        TEST(a_json_list_is_taken_apart),
        TEST(a_list_whose_items_are_spelt_in_escapes_is_a_list),
        TEST(empty_lists_hold_nothing),
        TEST(items_inherit_their_kind_from_a_typed_list),
        TEST(a_kind_that_only_ends_in_list_is_an_object),
        TEST(yaml_documents_are_read_and_empty_ones_passed_over),
        TEST(yaml_that_begins_like_json_is_still_yaml),
        TEST(a_yaml_list_is_taken_apart),
        TEST(a_directory_is_read_in_order_of_names),
        TEST(standard_input_is_named_by_a_dash),
        TEST(what_is_no_object_is_an_error_with_its_place),
        TEST(broken_json_is_named_where_it_breaks),
        TEST(a_file_that_is_not_there_is_named),
        TEST(filling_makes_the_kinds_known_that_stand_there),
        TEST(an_object_that_cannot_be_kept_is_named_with_file_and_path),
        TEST(a_json_list_may_be_longer_than_a_document),
        TEST(a_yaml_list_may_be_longer_than_a_document),
        TEST(pieces_of_json_are_found_without_reading_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
