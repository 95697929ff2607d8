#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lg_test_paths.h>

#include "rules/core/mem.h"
#include "rules/virt/shape.h"
#include "rules/virt/vm.h"
#include "tests/support/asserts.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

static void assert_refused(enum lg_kind kind, const char *text, enum lg_err_code code,
                           const char *where, const char *message)
{
    struct lg_err err = {0};
    if (lg_shape_check(kind, lg_objects_parse(&objects, text), &err) != code)
        fail_msg("%s: %s", text, err.text);
    lg_assert_err(&err, code, where, message);
}

static void assert_accepted(enum lg_kind kind, const char *text)
{
    struct lg_err err = {0};
    if (lg_shape_check(kind, lg_objects_parse(&objects, text), &err) != LG_E_OK)
        fail_msg("%s: %s: %s", text, err.where, err.text);
}

static void a_wrong_type_is_named_with_its_full_path(void **state)
{
    (void)state;
    assert_refused(
        LG_KIND_VM,
        "{'spec':{'template':{'spec':{'volumes':[{'name':'a'},{'name':'b'},{'name':7}]}}}}",
        LG_E_INVALID, "spec.template.spec.volumes[2].name", "expected a string, got a number");
    assert_refused(LG_KIND_VMI, "{'spec':{'volumes':'all'}}", LG_E_INVALID, "spec.volumes",
                   "expected a list, got a string");
    assert_refused(LG_KIND_VMI, "{'spec':{'domain':{'devices':{'autoattachPodInterface':'no'}}}}",
                   LG_E_INVALID, "spec.domain.devices.autoattachPodInterface",
                   "expected a boolean, got a string");
    assert_refused(LG_KIND_VMI, "{'spec':{'nodeSelector':{'example.io/a':true}}}", LG_E_INVALID,
                   "spec.nodeSelector[\"example.io/a\"]", "expected a string, got a boolean");
    assert_refused(LG_KIND_VMI, "{'spec':{'nodeSelector':[]}}", LG_E_INVALID, "spec.nodeSelector",
                   "expected an object, got a list");
    assert_refused(LG_KIND_VMI, "{'spec':{'domain':{'memory':{'guest':{}}}}}", LG_E_INVALID,
                   "spec.domain.memory.guest", "expected a quantity, got an object");
    assert_refused(LG_KIND_CLAIM, "{'spec':{'accessModes':'ReadWriteMany'}}", LG_E_INVALID,
                   "spec.accessModes", "expected a list, got a string");
    assert_refused(LG_KIND_CLAIM, "{'spec':{'accessModes':['ReadWriteMany',[]]}}", LG_E_INVALID,
                   "spec.accessModes[1]", "expected a string, got a list");
    assert_refused(LG_KIND_DATA_VOLUME, "{'spec':{'storage':[]}}", LG_E_INVALID, "spec.storage",
                   "expected an object, got a list");
    assert_refused(LG_KIND_MIGRATION, "{'spec':{'vmiName':1}}", LG_E_INVALID, "spec.vmiName",
                   "expected a string, got a number");
    assert_refused(LG_KIND_VM, "{'spec':[]}", LG_E_INVALID, "spec",
                   "expected an object, got a list");
    assert_refused(LG_KIND_VM, "7", LG_E_INVALID, "", "expected an object, got a number");
}

static void numbers_are_held_to_their_type(void **state)
{
    (void)state;
#define PORTS(port)                                                                                \
    "{'spec':{'domain':{'devices':{'interfaces':[{'name':'d','ports':[{'port':" port "}]}]}}}}"
#define PORT_PATH "spec.domain.devices.interfaces[0].ports[0].port"
    assert_accepted(LG_KIND_VMI, PORTS("1"));
    assert_accepted(LG_KIND_VMI, PORTS("65535"));
    assert_refused(LG_KIND_VMI, PORTS("0"), LG_E_LIMIT, PORT_PATH,
                   "expected a port from 1 to 65535, got 0");
    assert_refused(LG_KIND_VMI, PORTS("65536"), LG_E_LIMIT, PORT_PATH,
                   "expected a port from 1 to 65535, got 65536");
    assert_refused(LG_KIND_VMI, PORTS("-1"), LG_E_LIMIT, PORT_PATH,
                   "expected a port from 1 to 65535, got -1");
    assert_refused(LG_KIND_VMI, PORTS("99999999999999999999"), LG_E_LIMIT, PORT_PATH,
                   "expected a port from 1 to 65535, got 99999999999999999999");
    assert_refused(LG_KIND_VMI, PORTS("80.5"), LG_E_INVALID, PORT_PATH,
                   "expected an integer, got 80.5");
    assert_refused(LG_KIND_VMI, PORTS("'80'"), LG_E_INVALID, PORT_PATH,
                   "expected an integer, got a string");
    assert_refused(LG_KIND_VMI, "{'spec':{'domain':{'cpu':{'cores':2147483648}}}}", LG_E_LIMIT,
                   "spec.domain.cpu.cores", "expected an integer of 32 bits, got 2147483648");
    assert_accepted(LG_KIND_VMI, "{'spec':{'tolerations':[{'tolerationSeconds':2147483648}]}}");
    assert_refused(LG_KIND_VMI,
                   "{'spec':{'tolerations':[{'tolerationSeconds':9223372036854775808}]}}",
                   LG_E_LIMIT, "spec.tolerations[0].tolerationSeconds",
                   "expected an integer of 64 bits, got 9223372036854775808");
    assert_accepted(LG_KIND_VMI, "{'spec':{'domain':{'memory':{'guest':4},'resources':"
                                 "{'requests':{'memory':'4Gi','cpu':0.5}}}}}");
}

static void null_is_absent_everywhere(void **state)
{
    (void)state;
    assert_accepted(LG_KIND_VM, "{'metadata':null,'spec':null}");
    assert_accepted(LG_KIND_VM, "{'spec':{'template':{'spec':{'volumes':null,'networks':[null],"
                                "'domain':{'cpu':null},'nodeSelector':{'a':null},'affinity':null,"
                                "'tolerations':[{'key':null}]}}}}");
}

static void unknown_fields_and_kinds_pass(void **state)
{
    (void)state;
    assert_accepted(LG_KIND_VM, "{'spec':{'nme':7,'template':{'spec':{'volumess':'x'}}}}");
    assert_accepted(LG_KIND_VMI, "{'spec':{'volumes':[{'name':'a','newSource':7}]}}");
    assert_accepted(LG_KIND_NODE, "{'spec':7}");
    assert_accepted(LG_KIND_OTHER, "7");
}

static void a_list_has_at_most_1024_items(void **state)
{
    (void)state;
    for (int n = 1024; n <= 1025; n++) {
        struct lg_buf buf = {0};
        lg_buf_puts(&buf, "{'spec':{'tolerations':[");
        for (int i = 0; i < n; i++)
            lg_buf_puts(&buf, i != 0 ? ",{}" : "{}");
        lg_buf_puts(&buf, "]}}");
        if (n == 1024)
            assert_accepted(LG_KIND_VMI, buf.p);
        else
            assert_refused(LG_KIND_VMI, buf.p, LG_E_LIMIT, "spec.tolerations",
                           "expected at most 1,024 items, got 1025");
        lg_buf_done(&buf);
    }
}

/* A minimal object in which the field at the end of `chain` holds `value`; returns the field's path
 * in `path`. */
struct chain {
    const struct lg_shape *steps[24];
    size_t n;
};

static void write_object(const struct chain *chain, const char *value, struct lg_buf *text,
                         struct lg_buf *path)
{
    for (size_t i = 0; i < chain->n; i++) {
        lg_buf_printf(text, "{'%s':", chain->steps[i]->name);
        lg_buf_printf(path, "%s%s", i != 0 ? "." : "", chain->steps[i]->name);
        if (chain->steps[i]->type == LG_SHAPE_OBJECTS && i + 1 < chain->n) {
            lg_buf_puts(text, "[");
            lg_buf_puts(path, "[0]");
        }
    }
    lg_buf_puts(text, value);
    for (size_t i = chain->n; i-- > 0;)
        lg_buf_puts(text,
                    chain->steps[i]->type == LG_SHAPE_OBJECTS && i + 1 < chain->n ? "]}" : "}");
}

static void assert_refuses_wrong_types(enum lg_kind kind, const struct chain *chain)
{
    static const char *const values[] = {"'text'", "7", "true", "[]", "{}"};
    static const char *const got[] = {"a string", "a number", "a boolean", "a list", "an object"};
    enum { STRING = 1, NUMBER = 2, BOOL = 4, LIST = 8, OBJECT = 16 };
    static const int accepted[] = {
        [LG_SHAPE_OBJECT] = OBJECT,       [LG_SHAPE_OBJECTS] = LIST,
        [LG_SHAPE_STRING] = STRING,       [LG_SHAPE_STRINGS] = LIST,
        [LG_SHAPE_STRING_MAP] = OBJECT,   [LG_SHAPE_BOOL] = BOOL,
        [LG_SHAPE_INT32] = NUMBER,        [LG_SHAPE_INT64] = NUMBER,
        [LG_SHAPE_PORT] = NUMBER,         [LG_SHAPE_QUANTITY] = STRING | NUMBER,
        [LG_SHAPE_QUANTITY_MAP] = OBJECT,
    };
    for (int i = 0; i < 5; i++) {
        struct lg_buf text = {0};
        struct lg_buf path = {0};
        write_object(chain, values[i], &text, &path);
        struct lg_err err = {0};
        bool ok = lg_shape_check(kind, lg_objects_parse(&objects, text.p), &err) == LG_E_OK;
        bool expected = (accepted[chain->steps[chain->n - 1]->type] & (1 << i)) != 0;
        if (ok != expected || (!ok && (strcmp(err.where, path.p) != 0 || err.code != LG_E_INVALID ||
                                       strstr(err.text, got[i]) == NULL)))
            fail_msg("%s: %s: %s", text.p, err.where, err.text);
        lg_buf_done(&text);
        lg_buf_done(&path);
    }
}

static void every_field_of_every_table_is_held_to_its_type(void **state)
{
    (void)state;
    size_t fields = 0;
    for (int kind = 0; kind < LG_KIND_COUNT; kind++) {
        if (lg_shape_of((enum lg_kind)kind) == NULL)
            continue;
        struct chain chain = {.steps = {lg_shape_of((enum lg_kind)kind)}, .n = 1};
        while (chain.n != 0) {
            const struct lg_shape *at = chain.steps[chain.n - 1];
            if (at->name == NULL) {
                if (--chain.n != 0)
                    chain.steps[chain.n - 1]++;
                continue;
            }
            assert_int_equal(at->name_bytes, strlen(at->name));
            assert_refuses_wrong_types((enum lg_kind)kind, &chain);
            fields++;
            if (at->of != NULL) {
                assert_true(chain.n < 24);
                chain.steps[chain.n++] = at->of;
            } else {
                chain.steps[chain.n - 1]++;
            }
        }
    }
    assert_true(fields > 400);
}

/* A VM whose spec.template.spec is {HEAD, then `n` times ITEM with a comma between, then TAIL}. */
static struct lg_val many(const char *head, const char *item, size_t n, const char *tail)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&text, "{'spec':{'template':{'spec':{%s", head);
    for (size_t i = 0; i < n; i++)
        lg_buf_printf(&text, "%s%s", i == 0 ? "" : ",", item);
    lg_buf_printf(&text, "%s}}}}", tail);
    return lg_objects_parse(&objects, text.p);
}

/* Terms of two requirements each, so that no list is long. */
static void placement_as_a_whole_is_bounded(void **state)
{
    (void)state;
#define REQUIRED "IgnoredDuringExecution"
#define WITH     "spec.template.spec.affinity"
    static const char exists[] = "{'key':'a','operator':'Exists'}";
    static const char two[] = "{'matchExpressions':[{'key':'a','operator':'Exists'}],"
                              "'matchFields':[{'key':'metadata.name','operator':'In',"
                              "'values':['x']}]}";
    static const char pods[] = "{'topologyKey':'k','labelSelector':{'matchExpressions':[{'key':'a',"
                               "'operator':'Exists'}]},'namespaceSelector':{'matchExpressions':[{"
                               "'key':'a','operator':'Exists'}]}}";
    const struct {
        const char *head, *item, *tail;
        size_t most;
        const char *where, *said;
    } rows[] = {
        {"'affinity':{'nodeAffinity':{'requiredDuringScheduling" REQUIRED
         "':{'nodeSelectorTerms':[",
         two, "]}}}", 256, WITH,
         "expected at most 512 requirements in all terms together, got 514"},
        {"'affinity':{'nodeAffinity':{'preferredDuringScheduling" REQUIRED "':[{'weight':1,"
         "'preference':{'matchExpressions':[",
         exists, "]}}]}}", 512, WITH,
         "expected at most 512 requirements in all terms together, got 513"},
        {"'affinity':{'podAntiAffinity':{'requiredDuringScheduling" REQUIRED "':[", pods, "]}}",
         256, WITH, "expected at most 512 requirements in all terms together, got 514"},
        {"'affinity':{'podAffinity':{'preferredDuringScheduling" REQUIRED
         "':[{'weight':1,'podAffinityTerm':{'topologyKey':'k','labelSelector':{'matchExpressions':"
         "[",
         exists, "]}}}]}}", 512, WITH,
         "expected at most 512 requirements in all terms together, got 513"},
        {"'affinity':{'podAffinity':{'requiredDuringScheduling" REQUIRED
         "':[{'topologyKey':'k','labelSelector':{'matchLabels':{'a':'b'}},'namespaceSelector':{"
         "'matchLabels':{'a':'b'}},'mismatchLabelKeys':['a'],'matchLabelKeys':[",
         "'a'", "]}]}}", 509, WITH,
         "expected at most 512 requirements in all terms together, got 513"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_err err = {0};
        assert_int_equal(
            lg_shape_check(LG_KIND_VM, many(rows[i].head, rows[i].item, rows[i].most, rows[i].tail),
                           &err),
            LG_E_OK);
        assert_int_equal(
            lg_shape_check(LG_KIND_VM,
                           many(rows[i].head, rows[i].item, rows[i].most + 1, rows[i].tail), &err),
            LG_E_LIMIT);
        assert_string_equal(err.where, rows[i].where);
        assert_string_equal(err.text, rows[i].said);
    }
}

static void values_and_labels_of_placement_are_bounded(void **state)
{
    (void)state;
    struct lg_buf values lg_cleanup(lg_buf_done) = {0};
    struct lg_buf labels lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&values, "{'matchExpressions':[{'key':'a','operator':'In','values':['x'");
    for (int i = 1; i < 1024; i++)
        lg_buf_puts(&values, ",'x'");
    lg_buf_puts(&values, "]}]}");
    static const char head[] =
        "'affinity':{'nodeAffinity':{'requiredDuringScheduling" REQUIRED "':{'nodeSelectorTerms':[";
    struct lg_err err = {0};
    assert_int_equal(lg_shape_check(LG_KIND_VM, many(head, values.p, 8, "]}}}"), &err), LG_E_OK);
    assert_int_equal(lg_shape_check(LG_KIND_VM, many(head, values.p, 9, "]}}}"), &err), LG_E_LIMIT);
    assert_string_equal(err.where, WITH);
    assert_string_equal(err.text, "expected at most 8,192 values in all terms together, got 9216");

    for (int i = 0; i < 513; i++)
        lg_buf_printf(&labels, "%s'k%d':'v'", i == 0 ? "" : ",", i);
    struct lg_err vmi = {0}, migration = {0};
    struct lg_val object = lg_objects_parse(
        &objects, lg_arena_printf(&objects.arena, "{'spec':{'nodeSelector':{%s}}}", labels.p).p);
    assert_int_equal(lg_shape_check(LG_KIND_VMI, object, &vmi), LG_E_LIMIT);
    assert_string_equal(vmi.where, "spec.nodeSelector");
    assert_string_equal(vmi.text, "expected at most 512 labels, got 513");
    object = lg_objects_parse(
        &objects,
        lg_arena_printf(&objects.arena, "{'spec':{'addedNodeSelector':{%s}}}", labels.p).p);
    assert_int_equal(lg_shape_check(LG_KIND_MIGRATION, object, &migration), LG_E_LIMIT);
    assert_string_equal(migration.where, "spec.addedNodeSelector");
    assert_string_equal(migration.text, "expected at most 512 labels, got 513");
}

static void what_a_real_api_server_sent_is_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum lg_kind kind;
    } rows[] = {
        {"vm-create.json", LG_KIND_VM},
        {"vm-update-ports.json", LG_KIND_VM},
        {"vm-update-label.json", LG_KIND_VM},
        {"vm-create-v1alpha3-server-side-apply.json", LG_KIND_VM},
        {"vmi-create.json", LG_KIND_VMI},
        {"vmi-update-status-in-main.json", LG_KIND_VMI},
        {"pvc-create.json", LG_KIND_CLAIM},
        {"migration-create-generatename.json", LG_KIND_MIGRATION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/tests/reviews/%s", LG_SOURCE_DIR, rows[i].file);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        static char text[64 * 1024];
        size_t n = fread(text, 1, sizeof text, file);
        fclose(file);
        struct lg_val root = LG_NONE;
        assert_int_equal(lg_json_parse(&objects.arena, (struct lg_str){text, n}, &root, NULL),
                         LG_E_OK);
        struct lg_err err = {0};
        struct lg_val object = lg_json_at(root, "request.object");
        assert_true(lg_json_there(object));
        if (lg_shape_check(rows[i].kind, object, &err) != LG_E_OK)
            fail_msg("%s: %s: %s", rows[i].file, err.where, err.text);
    }
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_type_is_named_with_its_full_path),
        TEST(numbers_are_held_to_their_type),
        TEST(null_is_absent_everywhere),
        TEST(unknown_fields_and_kinds_pass),
        TEST(a_list_has_at_most_1024_items),
        TEST(every_field_of_every_table_is_held_to_its_type),
        TEST(placement_as_a_whole_is_bounded),
        TEST(values_and_labels_of_placement_are_bounded),
        TEST(what_a_real_api_server_sent_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
