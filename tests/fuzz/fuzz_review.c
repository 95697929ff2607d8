/* Any bytes as an AdmissionReview: decoding never crashes, and what is accepted can be answered in
 * JSON that says the uid of the request. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "rules/kube/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct lg_review *review)
{
    const struct lg_answer_cause cause = {review->operation, lg_str_of(review->refusal.where),
                                          review->username};
    const struct lg_answer_note note = {"verdict", review->ns};
    const struct lg_answer made = {
        .uid = review->uid,
        .allowed = review->dry_run,
        .code = 403,
        .reason = "Forbidden",
        .message = lg_json_text(review->object),
        .group = review->group,
        .kind_name = review->kind_name,
        .name = review->name,
        .causes = &cause,
        .n_causes = 1,
        .warnings = &review->resource,
        .n_warnings = 1,
        .notes = &note,
        .n_notes = 1,
        .patch = review->uid,
    };
    size_t n = 0;
    char *text = lg_review_encode(&made, &n);
    json_t *root = json_loadb(text, n, JSON_ALLOW_NUL, NULL);
    assert(root != NULL);
    const json_t *uid = json_object_get(json_object_get(root, "response"), "uid");
    assert(
        lg_str_eq((struct lg_str){json_string_value(uid), json_string_length(uid)}, review->uid));
    json_decref(root);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lg_arena arena = {0};
    struct lg_review review = {0};
    struct lg_err err = {0};
    enum lg_err_code code =
        lg_review_decode(&arena, (struct lg_str){(const char *)data, size}, &review, &err);
    assert(code == err.code);
    if (code == LG_E_OK) {
        assert(review.uid.n != 0);
        answer(&review);
    } else {
        assert(code == LG_E_INVALID && review.uid.n == 0 && err.text[0] != '\0');
    }
    lg_arena_done(&arena);
    return 0;
}
