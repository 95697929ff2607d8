#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "rules/core/mem.h"
#include "rules/kube/review.h"
#include "tests/support/asserts.h"

static struct lg_arena arena;

static int teardown(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

/* A review around `request`'s members. */
#define REVIEW(members)                                                                            \
    "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{" members   \
    "}}"
#define UID  "\"uid\":\"u-1\","
#define KIND "\"kind\":{\"group\":\"kubevirt.io\",\"version\":\"v1\",\"kind\":\"VirtualMachine\"},"
#define RESOURCE                                                                                   \
    "\"resource\":{\"group\":\"kubevirt.io\",\"version\":\"v1\",\"resource\":\"virtualmachines\"}" \
    ","
#define CREATE "\"operation\":\"CREATE\","

static struct lg_review decoded(const char *text)
{
    struct lg_review review = {0};
    struct lg_err err = {0};
    if (lg_review_decode(&arena, lg_str_of(text), &review, &err) != LG_E_OK)
        fail_msg("%s: %s", err.where, err.text);
    return review;
}

static void refused(const char *text, const char *where, const char *what)
{
    struct lg_review review = {.uid = {0}};
    struct lg_err err = {0};
    assert_int_equal(lg_review_decode(&arena, lg_str_of(text), &review, &err), LG_E_INVALID);
    lg_assert_err(&err, LG_E_INVALID, where, what);
    assert_int_equal(review.uid.n, 0);
}

static void every_member_is_read(void **state)
{
    (void)state;
    struct lg_review r = decoded(REVIEW(
        UID KIND RESOURCE
        "\"subResource\":\"status\",\"name\":\"db\",\"namespace\":\"web\",\"operation\":\"UPDATE\","
        "\"userInfo\":{\"username\":\"ann\",\"groups\":[\"g\"]},\"object\":{\"a\":1},"
        "\"oldObject\":{\"a\":2},\"dryRun\":true"));
    lg_assert_str(r.uid, "u-1");
    lg_assert_str(r.operation, "UPDATE");
    lg_assert_str(r.group, "kubevirt.io");
    lg_assert_str(r.version, "v1");
    lg_assert_str(r.kind_name, "VirtualMachine");
    lg_assert_str(r.resource, "virtualmachines");
    lg_assert_str(r.subresource, "status");
    assert_int_equal(r.kind, LG_KIND_VM);
    lg_assert_str(r.ns, "web");
    lg_assert_str(r.name, "db");
    lg_assert_str(r.username, "ann");
    assert_true(lg_json_is(lg_json_item(r.groups, 0), "g"));
    assert_true(r.dry_run);
    lg_assert_str(lg_json_text(r.object), "{\"a\":1}");
    lg_assert_str(lg_json_text(r.old_object), "{\"a\":2}");
    assert_false(r.refused);
}

static void what_may_be_absent_is_empty(void **state)
{
    (void)state;
    struct lg_review r =
        decoded(REVIEW(UID KIND RESOURCE "\"operation\":\"DELETE\",\"object\":null,"
                                         "\"oldObject\":null,\"namespace\":null"));
    assert_int_equal(r.ns.n + r.name.n + r.username.n + r.subresource.n, 0);
    assert_false(lg_json_there(r.object));
    assert_false(lg_json_there(r.old_object));
    assert_false(lg_json_there(r.groups));
    assert_false(r.dry_run);
}

static void the_resource_says_the_kind_and_else_the_kind_does(void **state)
{
    (void)state;
    struct lg_review scale = decoded(REVIEW(
        UID "\"kind\":{\"group\":\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\"}," RESOURCE
            "\"subResource\":\"scale\"," CREATE "\"object\":{}"));
    assert_int_equal(scale.kind, LG_KIND_VM);
    assert_int_equal(decoded(REVIEW(UID KIND CREATE "\"object\":{}")).kind, LG_KIND_VM);
    assert_int_equal(decoded(REVIEW(UID "\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":"
                                        "\"PersistentVolumeClaim\"}," CREATE "\"object\":{}"))
                         .kind,
                     LG_KIND_CLAIM);
    assert_int_equal(decoded(REVIEW(UID "\"kind\":{\"kind\":\"Pod\"},\"resource\":{\"resource\":"
                                        "\"pods\"}," CREATE "\"object\":{}"))
                         .kind,
                     LG_KIND_OTHER);
}

static void what_is_no_review_is_refused(void **state)
{
    (void)state;
    refused("", "line 1, column 1", "not JSON: the text is empty");
    refused("{]", "line 1, column 2", "not JSON: expected a member's name in quotes");
    refused("[]", "apiVersion", "expected admission.k8s.io/v1");
    refused("{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\"}",
            "apiVersion", "expected admission.k8s.io/v1");
    refused("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"Pod\"}", "kind",
            "expected AdmissionReview");
    refused("{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}", "request",
            "expected an object, found nothing");
    refused(REVIEW(KIND CREATE "\"object\":{}"), "request.uid", "is missing");
    refused(REVIEW("\"uid\":\"\"," KIND CREATE "\"object\":{}"), "request.uid", "is missing");
    refused(REVIEW("\"uid\":7"), "request.uid", "expected a string, found a number");
    refused(REVIEW(UID CREATE "\"object\":{}"), "request.kind.kind", "is missing");
    refused(REVIEW(UID KIND "\"operation\":\"PATCH\",\"object\":{}"), "request.operation",
            "expected CREATE, UPDATE, DELETE or CONNECT");
    refused(REVIEW(UID KIND CREATE "\"name\":\"x\""), "request.object", "is missing");
    refused(REVIEW(UID KIND CREATE "\"object\":\"x\""), "request.object",
            "expected an object, found a string");
    refused(REVIEW(UID KIND CREATE "\"object\":{},\"dryRun\":\"true\""), "request.dryRun",
            "expected true or false, found a string");
    refused(REVIEW(UID KIND CREATE "\"object\":{},\"userInfo\":{\"groups\":{}}"),
            "request.userInfo.groups", "expected a list, found an object");
    refused(REVIEW(UID KIND CREATE "\"object\":{},\"oldObject\":[]"), "request.oldObject",
            "expected an object, found a list");
    refused(REVIEW(UID KIND CREATE "\"resource\":{\"group\":1},\"object\":{}"),
            "request.resource.group", "expected a string, found a number");
}

/* An object that breaks a limit is somebody's denial, not a broken envelope: with failurePolicy
 * Ignore an HTTP error would admit it unseen. */
static void a_limit_inside_the_object_is_a_refusal_with_the_uid(void **state)
{
    (void)state;
    struct lg_review r = decoded(
        REVIEW(UID KIND RESOURCE "\"name\":\"db\",\"namespace\":\"web\"," CREATE
                                 "\"userInfo\":{\"username\":\"ann\"},"
                                 "\"object\":{\"spec\":{\"a\":1,\"\\u0061\":2}},\"dryRun\":true"));
    assert_true(r.refused);
    lg_assert_str(r.uid, "u-1");
    assert_int_equal(r.kind, LG_KIND_VM);
    lg_assert_str(r.name, "db");
    lg_assert_str(r.username, "ann");
    lg_assert_err(&r.refusal, LG_E_LIMIT, "spec.a", "the key is there twice");
}

/* JSON by its grammar, and no text: readers differ in what they make of it. */
static void half_a_surrogate_pair_is_a_refusal_with_the_uid(void **state)
{
    (void)state;
    static const char *const objects[] = {
        "{\"spec\":{\"a\":1,\"b\":\"x\\ud800\",\"c\":2}}",
        "{\"spec\":{\"a\":1,\"b\\udc00\":[1,2]}}",
        "{\"spec\":{\"b\":\"\\ud83d\\u0041\"}}",
    };
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        char text[512];
        snprintf(text, sizeof text, REVIEW(UID KIND RESOURCE CREATE "\"object\":%s"), objects[i]);
        struct lg_review r = decoded(text);
        assert_true(r.refused);
        lg_assert_str(r.uid, "u-1");
        assert_int_equal(r.kind, LG_KIND_VM);
        lg_assert_err(&r.refusal, LG_E_LIMIT, "spec.b", "a surrogate without its other half");
    }
}

static void a_limit_outside_the_object_names_its_place(void **state)
{
    (void)state;
    struct lg_review r = decoded(REVIEW(UID "\"userInfo\":{\"extra\":1,\"extra\":2}"));
    assert_true(r.refused);
    lg_assert_str(r.uid, "u-1");
    assert_string_equal(r.refusal.where, "userInfo.extra");
    refused(REVIEW("\"object\":{\"a\":1,\"a\":2}," UID KIND), "request.uid", "is missing");
}

/* What is in them is no business of ours, however deep or strange; that they end is. */
static void managed_fields_are_passed_over(void **state)
{
    (void)state;
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_puts(&text, "\"object\":{\"metadata\":{\"managedFields\":[{\"a\":1,\"a\":\"]}\\\"\"}");
    for (int i = 0; i < 100; i++)
        lg_buf_puts(&text, ",[");
    for (int i = 0; i < 100; i++)
        lg_buf_putc(&text, ']');
    lg_buf_puts(&text, "],\"name\":\"db\"}}");
    struct lg_buf body lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&body, REVIEW(UID KIND CREATE "%s"), text.p);
    struct lg_review r = decoded(body.p);
    assert_false(r.refused);
    lg_assert_str(lg_json_str_at(r.object, "metadata.name"), "db");
    assert_false(lg_json_there(lg_json_at(r.object, "metadata.managedFields")));
}

static json_t *encoded(const struct lg_answer *answer)
{
    size_t n = 0;
    char *text = lg_review_encode(answer, &n);
    assert_int_equal(strlen(text), n);
    json_error_t error;
    json_t *root = json_loadb(text, n, JSON_ALLOW_NUL, &error);
    if (root == NULL)
        fail_msg("%s: %s", error.text, text);
    free(text);
    return root;
}

static void assert_encoded(const struct lg_answer *answer, const char *response)
{
    json_t *got = encoded(answer);
    char text[2048];
    snprintf(text, sizeof text,
             "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
             "\"response\":%s}",
             response);
    json_t *wanted = json_loads(text, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(got, wanted))
        fail_msg("%s", json_dumps(got, 0));
    json_decref(got);
    json_decref(wanted);
}

static void an_allowance_is_short(void **state)
{
    (void)state;
    const struct lg_answer answer = {.uid = LG_STR("u-1"), .allowed = true};
    assert_encoded(&answer, "{\"uid\":\"u-1\",\"allowed\":true}");
}

static void a_denial_carries_status_and_causes(void **state)
{
    (void)state;
    const struct lg_answer_cause causes[] = {
        {LG_STR("LG101"), LG_STR("spec.x"), LG_STR("bad")},
        {LG_STR("LG102"), {0}, LG_STR("worse")},
    };
    const struct lg_answer answer = {
        .uid = LG_STR("u-1"),
        .code = 403,
        .reason = "Forbidden",
        .message = LG_STR("two\n    lines"),
        .group = LG_STR("kubevirt.io"),
        .kind_name = LG_STR("VirtualMachine"),
        .name = LG_STR("db"),
        .causes = causes,
        .n_causes = 2,
        .retry_after_s = 3,
    };
    assert_encoded(&answer, "{\"uid\":\"u-1\",\"allowed\":false,\"status\":{\"status\":\"Failure\","
                            "\"code\":403,\"reason\":\"Forbidden\",\"message\":\"two\\n    lines\","
                            "\"details\":{\"group\":\"kubevirt.io\",\"kind\":\"VirtualMachine\","
                            "\"name\":\"db\",\"retryAfterSeconds\":3,\"causes\":["
                            "{\"reason\":\"LG101\",\"field\":\"spec.x\",\"message\":\"bad\"},"
                            "{\"reason\":\"LG102\",\"message\":\"worse\"}]}}}");
}

static void warnings_notes_and_a_patch_are_written(void **state)
{
    (void)state;
    const struct lg_str warnings[] = {LG_STR("[LG101] a"), LG_STR("b\xFF")};
    const struct lg_answer_note notes[] = {{"verdict", LG_STR("warn")}};
    struct lg_answer answer = {
        .uid = LG_STR("u-1"),
        .allowed = true,
        .warnings = warnings,
        .n_warnings = 2,
        .notes = notes,
        .n_notes = 1,
    };
    static const char *const texts[][2] = {
        {"M", "TQ=="}, {"Ma", "TWE="}, {"Man", "TWFu"}, {"\xFB\xFF\xFE", "+//+"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        answer.patch = lg_str_of(texts[i][0]);
        char response[512];
        snprintf(response, sizeof response,
                 "{\"uid\":\"u-1\",\"allowed\":true,\"patchType\":\"JSONPatch\",\"patch\":\"%s\","
                 "\"warnings\":[\"[LG101] a\",\"b\\uFFFD\"],"
                 "\"auditAnnotations\":{\"verdict\":\"warn\"}}",
                 texts[i][1]);
        assert_encoded(&answer, response);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_read),
        cmocka_unit_test(what_may_be_absent_is_empty),
        cmocka_unit_test(the_resource_says_the_kind_and_else_the_kind_does),
        cmocka_unit_test(what_is_no_review_is_refused),
        cmocka_unit_test(managed_fields_are_passed_over),
        cmocka_unit_test(a_limit_inside_the_object_is_a_refusal_with_the_uid),
        cmocka_unit_test(half_a_surrogate_pair_is_a_refusal_with_the_uid),
        cmocka_unit_test(a_limit_outside_the_object_names_its_place),
        cmocka_unit_test(an_allowance_is_short),
        cmocka_unit_test(a_denial_carries_status_and_causes),
        cmocka_unit_test(warnings_notes_and_a_patch_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
