/* yaml.jsonl: what JSON does this YAML text mean to kubectl? Answered by sigs.k8s.io/yaml,
 * strict. */
#include "rules/core/yaml.h"

#include "tests/conformance/conformance.h"

static void say(struct lg_buf *buf, struct lg_val v)
{
    lg_buf_str(buf, v.doc != NULL ? lg_json_text(v) : LG_STR("nothing"));
}

/* Numbers are compared by their text: Go's own is what stands in the corpus. */
static enum conformance_result judge(struct lg_val row, struct lg_arena *arena,
                                     struct lg_buf *expected, struct lg_buf *got)
{
    struct lg_yaml_document document = {
        .text = lg_json_str(lg_json_get(row, "yaml")), .first_line = 1, .number = 1};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    enum lg_err_code code = lg_yaml_parse(arena, &document, "row", &root, &err);
    bool want_error = lg_json_bool(lg_json_get(row, "error"), false);
    struct lg_val want = lg_json_get(row, "json");
    if (want_error == (code != LG_E_OK) && (want_error || lg_json_equal(want, root)))
        return CONFORMANCE_PASSED;
    if (want_error)
        lg_buf_puts(expected, "an error");
    else
        say(expected, want);
    if (code != LG_E_OK)
        lg_buf_printf(got, "%s: %s", err.where, err.text);
    else
        say(got, root);
    return CONFORMANCE_FAILED;
}

const struct conformance_corpus conformance_yaml = {"yaml", judge};
