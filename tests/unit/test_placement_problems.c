#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/virt/placement.h"
#include "tests/support/objects.h"

struct row {
    const char *spec;
    const char *at, *message, *fix; /* at NULL: no problem */
};

/* Each row has the one problem it names, or none. */
static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct lg_objects objects;
        lg_objects_init(&objects);
        struct lg_val spec = lg_objects_parse(&objects, rows[i].spec);
        size_t found;
        const struct lg_placement_problem *problems =
            lg_placement_problems(spec, &objects.arena, &found);
        if (found != (rows[i].at != NULL ? 1 : 0))
            fail_msg("%s: %zu problems%s%s", rows[i].spec, found, found > 0 ? ": " : "",
                     found > 0 ? lg_arena_str(&objects.arena, problems[0].message).p : "");
        if (found == 1) {
            assert_string_equal(
                lg_arena_str(&objects.arena, lg_json_path(spec, problems[0].at, &objects.arena)).p,
                rows[i].at);
            assert_string_equal(lg_arena_str(&objects.arena, problems[0].message).p,
                                rows[i].message);
            assert_string_equal(lg_arena_str(&objects.arena, problems[0].fix).p, rows[i].fix);
        }
        lg_objects_done(&objects);
    }
}

#define ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

#define KEY_FIX                                                                                    \
    "a key is a name of at most 63 letters, digits, \"-\", \"_\" and \".\", with an optional "     \
    "domain before a \"/\""
#define VALUE_FIX                                                                                  \
    "a label's value has at most 63 letters, digits, \"-\", \"_\" and \".\", and begins and ends " \
    "with a letter or digit"

#define NODE_AFFINITY "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
#define TERMS(terms)                                                                               \
    "{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':"               \
    "{'nodeSelectorTerms':[" terms "]}}}}"
#define ONE(e) TERMS("{'matchExpressions':[" e "]}")
#define AT_ONE NODE_AFFINITY ".nodeSelectorTerms[0].matchExpressions[0]"

static void operators_and_values_are_those_of_the_scheduler(void **arg)
{
    (void)arg;
    static const struct row rows[] = {
        {"{}", NULL, NULL, NULL},
        {ONE("{'key':'a','operator':'In','values':['x','']}"), NULL, NULL, NULL},
        {ONE("{'key':'a.b/c','operator':'Exists'}"), NULL, NULL, NULL},
        {ONE("{'key':'a','operator':'Gt','values':['007']}"), NULL, NULL, NULL},
        {ONE("{'key':'a','operator':'in','values':['x']}"), AT_ONE ".operator",
         "required node affinity, \"a\": there is no operator \"in\"", "write \"In\""},
        {ONE("{'key':'a','operator':'doesnotexist'}"), AT_ONE ".operator",
         "required node affinity, \"a\": there is no operator \"doesnotexist\"",
         "write \"DoesNotExist\""},
        {ONE("{'key':'a','values':['x']}"), AT_ONE,
         "required node affinity, \"a\": there is no operator \"\"",
         "use In, NotIn, Exists, DoesNotExist, Gt or Lt"},
        {ONE("{'key':'a','operator':'In'}"), AT_ONE,
         "required node affinity, \"a\": operator In has no values",
         "list at least one value, or use Exists or DoesNotExist"},
        {ONE("{'key':'a','operator':'NotIn','values':[]}"), AT_ONE ".values",
         "required node affinity, \"a\": operator NotIn has no values",
         "list at least one value, or use Exists or DoesNotExist"},
        {ONE("{'key':'a','operator':'Exists','values':['x']}"), AT_ONE ".values",
         "required node affinity, \"a\": operator Exists takes no values",
         "leave the values out, or use In or NotIn"},
        {ONE("{'key':'a','operator':'Gt','values':['1','2']}"), AT_ONE ".values",
         "required node affinity, \"a\": operator Gt takes exactly one value and has 2",
         "give one integer"},
        {ONE("{'key':'a','operator':'Lt','values':['9223372036854775808']}"), AT_ONE ".values[0]",
         "required node affinity, \"a\": operator Lt compares integers, and "
         "\"9223372036854775808\" is none",
         "give an integer of at most 64 bits"},
        {ONE("{'key':'a','operator':'Gt','values':['-5']}"), AT_ONE ".values[0]",
         "required node affinity, \"a\": no label can have the value \"-5\"", VALUE_FIX},
        {ONE("{'key':'a','operator':'In','values':['x y']}"), AT_ONE ".values[0]",
         "required node affinity, \"a\": no label can have the value \"x y\"", VALUE_FIX},
        {ONE("{'key':'a b','operator':'Exists'}"), AT_ONE ".key",
         "required node affinity: \"a b\" is no label key", KEY_FIX},
        {ONE("{'operator':'Exists'}"), AT_ONE, "required node affinity: \"\" is no label key",
         KEY_FIX},
    };
    ROWS(rows);
}

static void fields_know_only_the_nodes_name(void **arg)
{
    (void)arg;
#define FIELD(e) TERMS("{'matchFields':[" e "]}")
#define AT_FIELD NODE_AFFINITY ".nodeSelectorTerms[0].matchFields[0]"
    static const struct row rows[] = {
        {FIELD("{'key':'metadata.name','operator':'In','values':['n']}"), NULL, NULL, NULL},
        {FIELD("{'key':'metadata.uid','operator':'In','values':['n']}"), AT_FIELD ".key",
         "required node affinity: matchFields knows only metadata.name, not \"metadata.uid\"",
         "write metadata.name, or use matchExpressions"},
        {FIELD("{'key':'metadata.name','operator':'Exists'}"), AT_FIELD ".operator",
         "required node affinity: matchFields has no operator \"Exists\"", "use In or NotIn"},
        {FIELD("{'key':'metadata.name','operator':'In','values':['n','m']}"), AT_FIELD ".values",
         "required node affinity: matchFields takes exactly one value and has 2",
         "give one name; for several nodes write several terms"},
    };
    ROWS(rows);
}

static void what_can_never_match_is_said_only_when_nothing_else_can(void **arg)
{
    (void)arg;
#define IN(key, value) "{'key':'" key "','operator':'In','values':['" value "']}"
#define CONTRADICTS(key)                                                                           \
    NODE_AFFINITY,                                                                                 \
        "required node affinity can match no node: what it asks of \"" key                         \
        "\" contradicts itself",                                                                   \
        "terms are alternatives, what stands in one term must all hold: write what excludes "      \
        "another as terms of their own"
    static const struct row rows[] = {
        {TERMS(""), NODE_AFFINITY ".nodeSelectorTerms",
         "required node affinity has no terms, and then matches no node",
         "add a term, or take the required node affinity out"},
        {"{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{}}}}",
         NODE_AFFINITY, "required node affinity has no terms, and then matches no node",
         "add a term, or take the required node affinity out"},
        {"{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':null}}}",
         NULL, NULL, NULL},
        {TERMS("{},{'matchExpressions':[]}"), NODE_AFFINITY,
         "required node affinity has only empty terms, and an empty term matches no node",
         "add matchExpressions, or take the required node affinity out"},
        {TERMS("{},{'matchExpressions':[{'key':'a','operator':'Exists'}]}"), NULL, NULL, NULL},
        {ONE(IN("a", "x") "," IN("a", "y")), CONTRADICTS("a")},
        {ONE(IN("a", "x") "," IN("b", "y")), NULL, NULL, NULL},
        {TERMS("{'matchExpressions':[" IN("a", "x") "]},{'matchExpressions':[" IN("a", "y") "]}"),
         NULL, NULL, NULL},
        {ONE(IN("a", "x") ",{'key':'a','operator':'NotIn','values':['z','x']}"), CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'In','values':['x','y']},{'key':'a','operator':'NotIn',"
             "'values':['x']}"),
         NULL, NULL, NULL},
        {ONE("{'key':'a','operator':'Exists'},{'key':'a','operator':'DoesNotExist'}"),
         CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'NotIn','values':['x']},{'key':'a','operator':"
             "'DoesNotExist'}"),
         NULL, NULL, NULL},
        {ONE("{'key':'a','operator':'Gt','values':['4']},{'key':'a','operator':'Lt','values':"
             "['5']}"),
         CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'Gt','values':['4']},{'key':'a','operator':'Lt','values':"
             "['6']}"),
         NULL, NULL, NULL},
        {ONE("{'key':'a','operator':'Gt','values':['4']},{'key':'a','operator':'Gt','values':"
             "['9']},{'key':'a','operator':'Lt','values':['10']}"),
         CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'Gt','values':['9223372036854775807']}"), CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'Gt','values':['4']}," IN("a", "3")), CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'Gt','values':['4']}," IN("a", "x")), CONTRADICTS("a")},
        {ONE("{'key':'a','operator':'Lt','values':['4']}," IN("a", "003")), NULL, NULL, NULL},
        {"{'nodeSelector':{'a':'y'},'affinity':{'nodeAffinity':"
         "{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':"
         "[{'matchExpressions':[" IN("a", "x") "]}]}}}}",
         NODE_AFFINITY,
         "required node affinity can match no node: what it asks of \"a\" (with nodeSelector) "
         "contradicts itself",
         "terms are alternatives, what stands in one term must all hold: write what excludes "
         "another as terms of their own"},
        {TERMS("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n']},{'key':"
               "'metadata.name','operator':'NotIn','values':['n']}]}"),
         CONTRADICTS("metadata.name")},
        {TERMS("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n']}],"
               "'matchExpressions':[{'key':'metadata.name','operator':'DoesNotExist'}]}"),
         NULL, NULL, NULL},
    };
    ROWS(rows);
}

static void selectors_preferences_and_pod_affinity_are_read_too(void **arg)
{
    (void)arg;
#define PREFERRED(weight, e)                                                                       \
    "{'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight'"    \
    ":" weight ",'preference':{'matchExpressions':[" e "]}}]}}}"
#define AT_PREFERRED "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]"
    static const struct row rows[] = {
        {"{'nodeSelector':{'zone':'a','empty':''}}", NULL, NULL, NULL},
        {"{'nodeSelector':{'zone':'a b'}}", "nodeSelector.zone",
         "nodeSelector, \"zone\": no label can have the value \"a b\"", VALUE_FIX},
        {"{'nodeSelector':{'zone/':'a'}}", "nodeSelector[\"zone/\"]",
         "nodeSelector: \"zone/\" is no label key", KEY_FIX},
        {PREFERRED("1", "{'key':'a','operator':'Exists'}"), NULL, NULL, NULL},
        {PREFERRED("1", "{'key':'a','operator':'Is'}"),
         AT_PREFERRED ".preference.matchExpressions[0].operator",
         "preferred node affinity, \"a\": there is no operator \"Is\"",
         "use In, NotIn, Exists, DoesNotExist, Gt or Lt"},
        {PREFERRED("101", "{'key':'a','operator':'Exists'}"), AT_PREFERRED ".weight",
         "preferred node affinity: the weight is not from 1 to 100", "give a weight from 1 to 100"},
        {"{'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':["
         "{'topologyKey':'kubernetes.io/hostname','labelSelector':{'matchExpressions':[{'key':"
         "'app','operator':'Gt','values':['1']}]}}]}}}",
         "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
         "labelSelector.matchExpressions[0].operator",
         "pod anti-affinity, \"app\": there is no operator \"Gt\"",
         "use In, NotIn, Exists or DoesNotExist"},
        {"{'affinity':{'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':["
         "{'weight':1,'podAffinityTerm':{'labelSelector':{}}}]}}}",
         "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm",
         "pod affinity: a term has no topologyKey",
         "write the label that tells places apart, kubernetes.io/hostname say"},
        {"{'affinity':{'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':["
         "{'podAffinityTerm':{'topologyKey':'zone','labelSelector':{'matchLabels':{'a':'b'}}}}]}}}",
         "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]",
         "pod affinity: the weight is not from 1 to 100", "give a weight from 1 to 100"},
        {"{'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':["
         "{'topologyKey':'host name','labelSelector':{}}]}}}",
         "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
         "pod anti-affinity: \"host name\" is no label key", KEY_FIX},
        {"{'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':["
         "{'topologyKey':'zone','labelSelector':{'matchLabels':{'app':'a b'}}}]}}}",
         "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector."
         "matchLabels.app",
         "pod anti-affinity, \"app\": no label can have the value \"a b\"", VALUE_FIX},
    };
    ROWS(rows);
}

static void tolerations_are_those_of_the_api_server(void **arg)
{
    (void)arg;
    static const struct row rows[] = {
        {"{'tolerations':[{'operator':'Exists'},{'key':'a'},{'key':'a','value':'x','effect':"
         "'NoExecute','tolerationSeconds':5}]}",
         NULL, NULL, NULL},
        {"{'tolerations':[{'key':'a','operator':'exists'}]}", "tolerations[0].operator",
         "toleration: there is no operator \"exists\"", "write \"Exists\""},
        {"{'tolerations':[{'key':'a','effect':'noSchedule'}]}", "tolerations[0].effect",
         "toleration: there is no effect \"noSchedule\"", "write \"NoSchedule\""},
        {"{'tolerations':[{'value':'x'}]}", "tolerations[0]",
         "toleration: without a key the operator must be Exists",
         "name the taint's key, or write \"operator: Exists\" to tolerate every taint"},
        {"{'tolerations':[{'key':'a','operator':'Exists','value':'x'}]}", "tolerations[0].value",
         "toleration, \"a\": operator Exists takes no value",
         "leave the value out, or write \"operator: Equal\""},
        {"{'tolerations':[{'key':'a','value':'x:y'}]}", "tolerations[0].value",
         "toleration, \"a\": no taint can have the value \"x:y\"", VALUE_FIX},
        {"{'tolerations':[{'key':'a','tolerationSeconds':5}]}", "tolerations[0].tolerationSeconds",
         "toleration: tolerationSeconds goes only with effect NoExecute",
         "write \"effect: NoExecute\", or take tolerationSeconds out"},
        {"{'tolerations':[{'key':'a b','operator':'Exists'}]}", "tolerations[0].key",
         "toleration: \"a b\" is no taint key", KEY_FIX},
    };
    ROWS(rows);
}

/* 20 terms of 1,000 expressions over 500 values each: what costs too much to settle counts as
 * possible. */
static void a_hostile_affinity_is_settled_within_a_budget(void **arg)
{
    (void)arg;
    struct lg_objects objects;
    struct lg_buf text = {0};
    lg_objects_init(&objects);
    lg_buf_puts(&text, "{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuring"
                       "Execution':{'nodeSelectorTerms':[");
    for (int term = 0; term < 20; term++) {
        lg_buf_puts(&text, term > 0 ? ",{'matchExpressions':[" : "{'matchExpressions':[");
        lg_buf_puts(&text, "{'key':'a','operator':'In','values':['v'");
        for (int i = 0; i < 500; i++)
            lg_buf_printf(&text, ",'v%d'", i);
        lg_buf_puts(&text, "]}");
        for (int i = 0; i < 1000; i++)
            lg_buf_puts(&text, ",{'key':'a','operator':'Exists'}");
        lg_buf_puts(&text, ",{'key':'a','operator':'DoesNotExist'}]}");
    }
    lg_buf_puts(&text, "]}}}}");
    size_t n = 9;
    const struct lg_placement_problem *problems =
        lg_placement_problems(lg_objects_parse(&objects, text.p), &objects.arena, &n);
    assert_non_null(problems);
    assert_int_equal(n, 0);
    lg_buf_done(&text);
    lg_objects_done(&objects);
}

static void a_flood_of_problems_is_cut(void **arg)
{
    (void)arg;
    struct lg_objects objects;
    struct lg_buf text = {0};
    lg_objects_init(&objects);
    lg_buf_puts(&text, "{'tolerations':[{}");
    for (int i = 0; i < 1000; i++)
        lg_buf_puts(&text, ",{}");
    lg_buf_puts(&text, "]}");
    size_t n;
    lg_placement_problems(lg_objects_parse(&objects, text.p), &objects.arena, &n);
    assert_int_equal(n, 64);
    lg_buf_done(&text);
    lg_objects_done(&objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_and_values_are_those_of_the_scheduler),
        cmocka_unit_test(fields_know_only_the_nodes_name),
        cmocka_unit_test(what_can_never_match_is_said_only_when_nothing_else_can),
        cmocka_unit_test(selectors_preferences_and_pod_affinity_are_read_too),
        cmocka_unit_test(tolerations_are_those_of_the_api_server),
        cmocka_unit_test(a_hostile_affinity_is_settled_within_a_budget),
        cmocka_unit_test(a_flood_of_problems_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
