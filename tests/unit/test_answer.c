#include "rules/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/fake_rules.h"

static struct lg_arena arena;

static int done(void **state)
{
    (void)state;
    lg_arena_done(&arena);
    return 0;
}

static struct lg_finding finding(size_t rule, enum lg_action action, const char *message,
                                 const char *field, const char *fix)
{
    return (struct lg_finding){
        .rule = lg_rules[rule],
        .action = action,
        .was = action,
        .message = lg_str_of(message),
        .field = lg_str_of(field),
        .fix = lg_str_of(fix),
    };
}

static struct lg_judgement judgement(const struct lg_finding *findings, size_t n)
{
    struct lg_judgement j = {
        .findings = findings,
        .n = n,
        .subject = {.kind = LG_KIND_VM,
                    .op = LG_OP_CREATE,
                    .ns = LG_STR("web-servers"),
                    .name = LG_STR("orders-db")},
    };
    for (size_t i = 0; i < n; i++)
        if (findings[i].action > j.verdict)
            j.verdict = findings[i].action;
    return j;
}

static struct lg_answer answer(const struct lg_judgement *j)
{
    struct lg_answer got = {.uid = LG_STR("u-1")};
    lg_answer_make(j, LG_STR("kubevirt.io"), LG_STR("VirtualMachine"), &arena, &got);
    return got;
}

static void expect_str(struct lg_str got, const char *expected)
{
    assert_int_equal(got.n, strlen(expected));
    assert_memory_equal(got.p, expected, got.n);
}

static void a_denial_is_laid_out_for_a_person(void **state)
{
    (void)state;
    const struct lg_finding findings[] = {
        finding(0, LG_ACTION_DENY,
                "volume \"data\": claim \"orders-db-data\" is ReadWriteOnce; live migration needs "
                "ReadWriteMany",
                "spec.template.spec.volumes[1].persistentVolumeClaim.claimName",
                "create a ReadWriteMany claim and move the data"),
        finding(1, LG_ACTION_PENDING, "claim \"x\" does not exist yet", "", ""),
        finding(3, LG_ACTION_DENY, "interface \"default\": port 49152 is reserved", "spec.x", ""),
    };
    struct lg_judgement j = judgement(findings, 3);
    struct lg_answer got = answer(&j);
    assert_false(got.allowed);
    assert_int_equal(got.code, 403);
    assert_string_equal(got.reason, "Forbidden");
    expect_str(got.uid, "u-1");
    expect_str(got.message,
               "VirtualMachine web-servers/orders-db cannot be live-migrated, 2 reasons:\n"
               "[LG101] volume \"data\": claim \"orders-db-data\" is ReadWriteOnce; live migration "
               "needs ReadWriteMany\n"
               "    at:  spec.template.spec.volumes[1].persistentVolumeClaim.claimName\n"
               "    fix: create a ReadWriteMany claim and move the data\n"
               "[LG202] interface \"default\": port 49152 is reserved\n"
               "    at:  spec.x");
    expect_str(got.group, "kubevirt.io");
    expect_str(got.kind_name, "VirtualMachine");
    expect_str(got.name, "orders-db");
    assert_int_equal(got.n_causes, 2);
    expect_str(got.causes[0].reason, "LG101");
    expect_str(got.causes[0].field,
               "spec.template.spec.volumes[1].persistentVolumeClaim.claimName");
    expect_str(got.causes[0].message,
               "volume \"data\": claim \"orders-db-data\" is ReadWriteOnce; live migration needs "
               "ReadWriteMany; fix: create a ReadWriteMany claim and move the data");
    expect_str(got.causes[1].reason, "LG202");
    expect_str(got.causes[1].field, "spec.x");
    expect_str(got.causes[1].message, "interface \"default\": port 49152 is reserved");
    assert_int_equal(got.retry_after_s, 0);
    assert_int_equal(got.n_warnings, 1);
    expect_str(got.warnings[0], "LG102: claim \"x\" does not exist yet");
    assert_int_equal(got.n_notes, 2);
    assert_string_equal(got.notes[0].key, "verdict");
    expect_str(got.notes[0].value, "deny");
    assert_string_equal(got.notes[1].key, "rules");
    expect_str(got.notes[1].value, "LG101=deny,LG102=pending,LG202=deny");
    expect_str(got.patch, "");
}

static void the_head_fits_the_kind(void **state)
{
    (void)state;
    static const struct {
        enum lg_kind kind;
        const char *ns, *head;
    } rows[] = {
        {LG_KIND_VMI, "a",
         "VirtualMachineInstance a/x cannot be live-migrated, 1 reason:\n[LG101] m"},
        {LG_KIND_CLAIM, "a",
         "PersistentVolumeClaim a/x would make a VM immovable, 1 reason:\n[LG101] m"},
        {LG_KIND_DATA_VOLUME, "a",
         "DataVolume a/x would make a VM immovable, 1 reason:\n[LG101] m"},
        {LG_KIND_MIGRATION, "a",
         "VirtualMachineInstanceMigration a/x cannot run, 1 reason:\n[LG101] m"},
        {LG_KIND_STORAGE_PROFILE, "",
         "StorageProfile x would make new claims immovable, 1 reason:\n[LG101] m"},
        {LG_KIND_KUBEVIRT, "a", "KubeVirt a/x would hinder live migration, 1 reason:\n[LG101] m"},
        {LG_KIND_NODE, "", "Node x is not accepted, 1 reason:\n[LG101] m"},
    };
    const struct lg_finding f = finding(0, LG_ACTION_DENY, "m", "", "");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct lg_judgement j = judgement(&f, 1);
        j.subject.kind = rows[i].kind;
        j.subject.ns = lg_str_of(rows[i].ns);
        j.subject.name = LG_STR("x");
        expect_str(lg_answer_message(&j, LG_ACTION_DENY, &arena), rows[i].head);
    }
}

static void a_name_that_is_yet_to_be_made_up_is_shown_as_its_prefix(void **state)
{
    (void)state;
    const struct lg_finding f = finding(0, LG_ACTION_DENY, "m", "", "");
    struct lg_judgement j = judgement(&f, 1);
    j.subject.name = LG_STR("");
    assert_int_equal(lg_json_parse(&arena, LG_STR("{\"metadata\":{\"generateName\":\"vm-\"}}"),
                                   &j.subject.object, NULL),
                     LG_E_OK);
    expect_str(lg_answer_message(&j, LG_ACTION_DENY, &arena),
               "VirtualMachine web-servers/vm-* cannot be live-migrated, 1 reason:\n[LG101] m");
}

static void a_long_message_is_cut_between_reasons(void **state)
{
    (void)state;
    struct lg_finding many[200];
    char text[1001];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < 200; i++)
        many[i] = finding(0, LG_ACTION_DENY, text, "", "");
    struct lg_judgement j = judgement(many, 200);
    struct lg_answer got = answer(&j);
    assert_true(got.message.n <= 17 * 1024);
    assert_true(lg_str_ends(got.message, "x\nand 184 more"));
    assert_int_equal(got.n_causes, 32);
    for (size_t i = 0; i < 200; i++)
        many[i].message = LG_STR("short");
    got = answer(&j);
    assert_true(lg_str_ends(got.message, "[LG101] short\nand 168 more"));
}

static void warnings_are_few_and_short(void **state)
{
    (void)state;
    struct lg_finding many[12];
    char text[301];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < 12; i++)
        many[i] = finding(0, LG_ACTION_WARN, "m", "", "do this");
    many[1] = finding(0, LG_ACTION_WARN, text, "", "");
    many[2] = finding(0, LG_ACTION_WARN, "m", "", text);
    struct lg_judgement j = judgement(many, 12);
    struct lg_answer got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.code, 0);
    assert_int_equal(got.n_warnings, 10);
    expect_str(got.warnings[0], "LG101: m; fix: do this");
    assert_int_equal(got.warnings[1].n, 256);
    assert_true(lg_str_ends(got.warnings[1], "xxx..."));
    expect_str(got.warnings[2], "LG101: m");
    expect_str(got.warnings[9], "livegate: 3 more; `livegate check` lists all of them");
    j = judgement(many, 10);
    got = answer(&j);
    assert_int_equal(got.n_warnings, 10);
    expect_str(got.warnings[9], "LG101: m; fix: do this");
}

static void observe_mode_says_what_would_be_denied(void **state)
{
    (void)state;
    struct lg_finding findings[3] = {
        finding(0, LG_ACTION_WARN, "new", "", ""),
        finding(0, LG_ACTION_WARN, "old", "", ""),
        finding(0, LG_ACTION_WARN, "mild", "", ""),
    };
    findings[0].was = LG_ACTION_DENY;
    findings[1].was = LG_ACTION_DENY;
    findings[1].ratcheted = true;
    struct lg_judgement j = judgement(findings, 3);
    j.mode = LG_MODE_OBSERVE;
    struct lg_answer got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.n_warnings, 3);
    expect_str(got.warnings[0], "LG101: would be denied: new");
    expect_str(got.warnings[1], "LG101: old");
    expect_str(got.warnings[2], "LG101: mild");
}

static void an_audited_finding_is_only_noted(void **state)
{
    (void)state;
    const struct lg_finding f = finding(3, LG_ACTION_AUDIT, "m", "", "");
    struct lg_judgement j = judgement(&f, 1);
    struct lg_answer got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.n_warnings, 0);
    assert_int_equal(got.n_notes, 2);
    expect_str(got.notes[0].value, "audit");
    expect_str(got.notes[1].value, "LG202=audit");
}

static void nothing_to_say_is_a_plain_yes(void **state)
{
    (void)state;
    struct lg_judgement j = judgement(NULL, 0);
    struct lg_answer got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.n_warnings + got.n_notes + got.n_causes, 0);
    j.skipped = true;
    got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.n_warnings + got.n_notes + got.n_causes, 0);
}

static void what_cannot_be_read_is_a_422_with_its_path(void **state)
{
    (void)state;
    struct lg_judgement j = judgement(NULL, 0);
    j.refused = true;
    j.verdict = LG_ACTION_DENY;
    j.refusal = (struct lg_err){
        .code = LG_E_INVALID, .where = "spec.template.spec.volumes[1].name", .text = "a \x01 b"};
    struct lg_answer got = answer(&j);
    assert_false(got.allowed);
    assert_int_equal(got.code, 422);
    assert_string_equal(got.reason, "Invalid");
    expect_str(got.message, "VirtualMachine web-servers/orders-db cannot be judged: "
                            "spec.template.spec.volumes[1].name: a \\x01 b");
    assert_int_equal(got.n_causes, 1);
    expect_str(got.causes[0].reason, "FieldValueInvalid");
    expect_str(got.causes[0].field, "spec.template.spec.volumes[1].name");
    expect_str(got.causes[0].message, "a \\x01 b");
    assert_int_equal(got.n_warnings, 0);
    expect_str(got.notes[0].value, "deny");
    expect_str(got.notes[1].value, "unreadable");
    j.verdict = LG_ACTION_WARN;
    got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.n_warnings, 1);
    expect_str(got.warnings[0],
               "livegate: would be denied: spec.template.spec.volumes[1].name: a \\x01 b");
    j.verdict = LG_ACTION_AUDIT;
    got = answer(&j);
    assert_true(got.allowed);
    assert_int_equal(got.n_warnings, 0);
    expect_str(got.notes[0].value, "audit");
}

static void what_the_head_says_is_said_once(void **state)
{
    (void)state;
    struct lg_finding findings[] = {
        finding(0, LG_ACTION_DENY, "is not shared", "spec.a", ""),
        finding(3, LG_ACTION_WARN, "a drain waits", "spec.b", "set it"),
    };
    findings[1].head = LG_STR("with that a drain waits");
    findings[1].in_head = true;
    struct lg_judgement j = judgement(findings, 2);
    struct lg_answer got = answer(&j);
    expect_str(got.message,
               "VirtualMachine web-servers/orders-db cannot be live-migrated, 1 reason:\n"
               "(LG202: with that a drain waits)\n"
               "[LG101] is not shared\n"
               "    at:  spec.a");
    assert_int_equal(got.n_causes, 1);
    assert_int_equal(got.n_warnings, 0);
    expect_str(got.notes[1].value, "LG101=deny,LG202=warn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_denial_is_laid_out_for_a_person),
        cmocka_unit_test(the_head_fits_the_kind),
        cmocka_unit_test(a_name_that_is_yet_to_be_made_up_is_shown_as_its_prefix),
        cmocka_unit_test(a_long_message_is_cut_between_reasons),
        cmocka_unit_test(warnings_are_few_and_short),
        cmocka_unit_test(observe_mode_says_what_would_be_denied),
        cmocka_unit_test(an_audited_finding_is_only_noted),
        cmocka_unit_test(nothing_to_say_is_a_plain_yes),
        cmocka_unit_test(what_cannot_be_read_is_a_422_with_its_path),
        cmocka_unit_test(what_the_head_says_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
