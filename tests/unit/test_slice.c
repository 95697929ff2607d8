#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/virt/slice.h"
#include "rules/virt/vm.h"
#include "tests/support/objects.h"

static struct lg_objects objects;

static void white_space_goes_and_strings_stay(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", ""},
        {"7", "7"},
        {" [ 1 ,\t2 ,\r\n3 ] ", "[1,2,3]"},
        {"{ \"a b\" : \" \\\" c \" , \"\\\\\" : \"\t\" }",
         "{\"a b\":\" \\\" c \",\"\\\\\":\"\t\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lg_buf buf = {0};
        lg_slice_compact(&buf, lg_str_of(rows[i].text));
        if (!lg_str_is(lg_buf_view(&buf), rows[i].expected))
            fail_msg("%s", buf.p);
        lg_buf_done(&buf);
    }
}

static void assert_slice(const char *text, const char *expected)
{
    struct lg_buf buf = {0};
    lg_slice_members(&buf, lg_shape_of(LG_KIND_VMI), lg_objects_parse(&objects, text));
    struct lg_str wanted = lg_json_text(lg_objects_parse(&objects, expected));
    if (!lg_str_eq(lg_buf_view(&buf), wanted))
        fail_msg("%s is not %.*s", buf.p, LG_ARG(wanted));
    lg_buf_done(&buf);
}

static void only_what_rules_read_is_kept(void **state)
{
    (void)state;
    assert_slice(
        "{ 'spec': {'terminationGracePeriodSeconds': 3, 'nodeSelector': {'any': 'thing'},"
        " 'domain': {'clock': {}, 'cpu': {'model': 'x', 'cores': 2}}}, 'more': 1}",
        "{'spec':{'nodeSelector':{'any':'thing'},'domain':{'cpu':{'model':'x','cores':2}}}}");
    assert_slice("{'spec':{'a':1},'status':{'b':2}}", "{'spec':{},'status':{}}");
    assert_slice("{}", "{}");
}

static void presence_stays_and_contents_go(void **state)
{
    (void)state;
    assert_slice("{'spec':{'volumes':[{'cloudInitNoCloud':{'userData':'secret'},'name':'a'}],"
                 "'domain':{'devices':{'interfaces':[{'sriov':{'x':1},'name':'b'}]}}}}",
                 "{'spec':{'volumes':[{'cloudInitNoCloud':{},'name':'a'}],"
                 "'domain':{'devices':{'interfaces':[{'sriov':{},'name':'b'}]}}}}");
}

static void items_keep_their_numbers_and_nulls_are_absent(void **state)
{
    (void)state;
    assert_slice("{'spec':{'volumes':[null, {'x':1}, {'name':null}, {'name':'d'}], 'domain':null}}",
                 "{'spec':{'volumes':[null,{},{},{'name':'d'}]}}");
}

static void what_has_a_wrong_type_stays_as_it_is(void **state)
{
    (void)state;
    assert_slice("{'spec':{'volumes':{'a': 1},'networks':[7, 'x'],'domain':[ ],'nodeSelector':3,"
                 "'tolerations':[{'key':{'a': 1}}]}}",
                 "{'spec':{'volumes':{'a':1},'networks':[7,'x'],'domain':[],'nodeSelector':3,"
                 "'tolerations':[{'key':{'a':1}}]}}");
    assert_slice("[ 1 ]", "[1]");
    assert_slice("{'spec':{'volumes':[{'containerDisk':'x'}]}}",
                 "{'spec':{'volumes':[{'containerDisk':'x'}]}}");
}

int main(void)
{
#define TEST(name) LG_OBJECTS_TEST(name, &objects)
    const struct CMUnitTest tests[] = {
        TEST(white_space_goes_and_strings_stay),
        TEST(only_what_rules_read_is_kept),
        TEST(presence_stays_and_contents_go),
        TEST(items_keep_their_numbers_and_nulls_are_absent),
        TEST(what_has_a_wrong_type_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
