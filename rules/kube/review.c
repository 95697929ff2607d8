#include "rules/kube/review.h"

#include <stdlib.h>

#include "rules/core/base64.h"
#include "rules/core/mem.h"
#include "rules/core/write.h"
#include "rules/kube/meta.h"

static const char api_version[] = "admission.k8s.io/v1";

static enum lg_err_code wrong_type(struct lg_err *err, const char *where, const char *wanted,
                                   struct lg_val got)
{
    return lg_err_set(err, LG_E_INVALID, where, "expected %s, found %s", wanted,
                      lg_json_kind_name(got));
}

/* What stands at `path` of the envelope, "request.name". */
static struct lg_val in_request(struct lg_val request, const char *path)
{
    return lg_json_at(request, path + sizeof "request." - 1);
}

/* The string `path` of the envelope; absent counts as "". */
static enum lg_err_code read_str(struct lg_val request, const char *path, struct lg_str *ret,
                                 struct lg_err *err)
{
    struct lg_val v = in_request(request, path);
    if (lg_json_there(v) && lg_json_kind(v) != LG_JSON_STRING)
        return wrong_type(err, path, "a string", v);
    *ret = lg_json_str(v);
    return LG_E_OK;
}

static enum lg_err_code read_kind_of(struct lg_val request, const char *path,
                                     enum lg_json_kind wanted, const char *wanted_name,
                                     struct lg_val *ret, struct lg_err *err)
{
    *ret = in_request(request, path);
    if (lg_json_there(*ret) && lg_json_kind(*ret) != wanted)
        return wrong_type(err, path, wanted_name, *ret);
    return LG_E_OK;
}

static enum lg_err_code read_strings(struct lg_val request, struct lg_review *review,
                                     struct lg_err *err)
{
    const struct {
        const char *path;
        struct lg_str *ret;
    } fields[] = {
        {"request.uid", &review->uid},
        {"request.operation", &review->operation},
        {"request.kind.group", &review->group},
        {"request.kind.version", &review->version},
        {"request.kind.kind", &review->kind_name},
        {"request.resource.resource", &review->resource},
        {"request.subResource", &review->subresource},
        {"request.namespace", &review->ns},
        {"request.name", &review->name},
        {"request.userInfo.username", &review->username},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        enum lg_err_code code = read_str(request, fields[i].path, fields[i].ret, err);
        if (code != LG_E_OK)
            return code;
    }
    return LG_E_OK;
}

static enum lg_err_code read_values(struct lg_val request, struct lg_review *review,
                                    struct lg_err *err)
{
    const struct {
        const char *path;
        enum lg_json_kind kind;
        const char *kind_name;
        struct lg_val *ret;
    } fields[] = {
        {"request.userInfo.groups", LG_JSON_ARRAY, "a list", &review->groups},
        {"request.object", LG_JSON_OBJECT, "an object", &review->object},
        {"request.oldObject", LG_JSON_OBJECT, "an object", &review->old_object},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        enum lg_err_code code = read_kind_of(request, fields[i].path, fields[i].kind,
                                             fields[i].kind_name, fields[i].ret, err);
        if (code != LG_E_OK)
            return code;
    }
    struct lg_val dry_run = lg_json_get(request, "dryRun");
    enum lg_json_kind kind = lg_json_kind(dry_run);
    if (lg_json_there(dry_run) && kind != LG_JSON_TRUE && kind != LG_JSON_FALSE)
        return wrong_type(err, "request.dryRun", "true or false", dry_run);
    review->dry_run = kind == LG_JSON_TRUE;
    return LG_E_OK;
}

/* What the API server always says. A review that was refused midway is excused from all but its
 * uid. */
static enum lg_err_code check_envelope(struct lg_val root, const struct lg_review *review,
                                       struct lg_err *err)
{
    bool whole = !review->refused;
    struct lg_val version = lg_json_get(root, "apiVersion");
    struct lg_val kind = lg_json_get(root, "kind");
    if ((whole || lg_json_there(version)) && !lg_json_is(version, api_version))
        return lg_err_set(err, LG_E_INVALID, "apiVersion", "expected %s", api_version);
    if ((whole || lg_json_there(kind)) && !lg_json_is(kind, "AdmissionReview"))
        return lg_err_set(err, LG_E_INVALID, "kind", "expected AdmissionReview");
    if (lg_json_kind(lg_json_get(root, "request")) != LG_JSON_OBJECT)
        return wrong_type(err, "request", "an object", lg_json_get(root, "request"));
    if (review->uid.n == 0)
        return lg_err_set(err, LG_E_INVALID, "request.uid", "is missing");
    if (!whole)
        return LG_E_OK;
    if (review->kind_name.n == 0)
        return lg_err_set(err, LG_E_INVALID, "request.kind.kind", "is missing");
    bool writes = lg_str_is(review->operation, "CREATE") || lg_str_is(review->operation, "UPDATE");
    if (!writes && !lg_str_is(review->operation, "DELETE") &&
        !lg_str_is(review->operation, "CONNECT"))
        return lg_err_set(err, LG_E_INVALID, "request.operation",
                          "expected CREATE, UPDATE, DELETE or CONNECT");
    if (writes && !lg_json_there(review->object))
        return lg_err_set(err, LG_E_INVALID, "request.object", "is missing");
    return LG_E_OK;
}

/* By resource, since a subresource has a kind of its own (Scale); by kind where no resource is
 * said. */
static enum lg_kind kind_of(const struct lg_review *review, struct lg_str resource_group,
                            struct lg_arena *arena)
{
    if (review->resource.n != 0)
        return lg_kind_of_resource(resource_group, review->resource);
    struct lg_str version =
        review->group.n == 0
            ? review->version
            : lg_arena_printf(arena, "%.*s/%.*s", LG_ARG(review->group), LG_ARG(review->version));
    return lg_kind_of(version, review->kind_name);
}

/* The refusal's path as the object's author knows it: without the envelope. */
static void set_refusal(struct lg_review *review, const struct lg_err *limit)
{
    static const char *const envelopes[] = {"request.object.", "request."};
    review->refused = true;
    review->refusal = *limit;
    for (size_t i = 0; i < sizeof envelopes / sizeof envelopes[0]; i++) {
        size_t n = strlen(envelopes[i]);
        if (strncmp(limit->where, envelopes[i], n) != 0)
            continue;
        memmove(review->refusal.where, limit->where + n, strlen(limit->where + n) + 1);
        return;
    }
}

enum lg_err_code lg_review_decode(struct lg_arena *arena, struct lg_str body, struct lg_review *ret,
                                  struct lg_err *err)
{
    struct lg_review review = {.uid = {0}};
    struct lg_val root = LG_NONE;
    struct lg_err limit = {0};
    enum lg_err_code code = lg_meta_parse(arena, body, &root, &limit);
    if (code == LG_E_LIMIT)
        set_refusal(&review, &limit);
    else if (code != LG_E_OK)
        return lg_err_set(err, LG_E_INVALID, limit.where, "not JSON: %s", limit.text);
    struct lg_val request = lg_json_get(root, "request");
    code = read_strings(request, &review, err);
    if (code == LG_E_OK)
        code = read_values(request, &review, err);
    if (code == LG_E_OK)
        code = check_envelope(root, &review, err);
    struct lg_str resource_group = {0};
    if (code == LG_E_OK)
        code = read_str(request, "request.resource.group", &resource_group, err);
    if (code != LG_E_OK)
        return code;
    review.kind = kind_of(&review, resource_group, arena);
    *ret = review;
    return LG_E_OK;
}

static void write_text(struct lg_buf *buf, const char *key, struct lg_str text)
{
    if (text.n != 0)
        lg_write_member(buf, key, text);
}

static void write_causes(struct lg_buf *buf, const struct lg_answer *answer)
{
    lg_write_key(buf, "causes");
    lg_write_open(buf, '[');
    for (size_t i = 0; i < answer->n_causes; i++) {
        lg_write_open(buf, '{');
        write_text(buf, "reason", answer->causes[i].reason);
        write_text(buf, "message", answer->causes[i].message);
        write_text(buf, "field", answer->causes[i].field);
        lg_write_close(buf, '}');
    }
    lg_write_close(buf, ']');
}

static void write_status(struct lg_buf *buf, const struct lg_answer *answer)
{
    lg_write_key(buf, "status");
    lg_write_open(buf, '{');
    lg_write_member(buf, "status", LG_STR("Failure"));
    lg_write_member(buf, "message", answer->message);
    lg_write_member(buf, "reason", lg_str_of(answer->reason));
    lg_write_key(buf, "details");
    lg_write_open(buf, '{');
    write_text(buf, "name", answer->name);
    write_text(buf, "group", answer->group);
    write_text(buf, "kind", answer->kind_name);
    if (answer->n_causes != 0)
        write_causes(buf, answer);
    if (answer->retry_after_s > 0) {
        lg_write_key(buf, "retryAfterSeconds");
        lg_write_int(buf, answer->retry_after_s);
    }
    lg_write_close(buf, '}');
    lg_write_key(buf, "code");
    lg_write_int(buf, answer->code);
    lg_write_close(buf, '}');
}

static void write_patch(struct lg_buf *buf, struct lg_str patch)
{
    struct lg_buf base64 lg_cleanup(lg_buf_done) = {0};
    lg_base64_add(&base64, patch);
    lg_write_member(buf, "patchType", LG_STR("JSONPatch"));
    lg_write_member(buf, "patch", lg_buf_view(&base64));
}

static void write_response(struct lg_buf *buf, const struct lg_answer *answer)
{
    lg_write_key(buf, "response");
    lg_write_open(buf, '{');
    lg_write_member(buf, "uid", answer->uid);
    lg_write_key(buf, "allowed");
    lg_write_bool(buf, answer->allowed);
    if (!answer->allowed)
        write_status(buf, answer);
    if (answer->patch.n != 0)
        write_patch(buf, answer->patch);
    if (answer->n_warnings != 0) {
        lg_write_key(buf, "warnings");
        lg_write_open(buf, '[');
        for (size_t i = 0; i < answer->n_warnings; i++)
            lg_write_str(buf, answer->warnings[i]);
        lg_write_close(buf, ']');
    }
    if (answer->n_notes != 0) {
        lg_write_key(buf, "auditAnnotations");
        lg_write_open(buf, '{');
        for (size_t i = 0; i < answer->n_notes; i++)
            lg_write_member(buf, answer->notes[i].key, answer->notes[i].value);
        lg_write_close(buf, '}');
    }
    lg_write_close(buf, '}');
}

char *lg_review_encode(const struct lg_answer *answer, size_t *ret_bytes)
{
    struct lg_buf buf = {0};
    lg_write_open(&buf, '{');
    lg_write_member(&buf, "apiVersion", lg_str_of(api_version));
    lg_write_member(&buf, "kind", LG_STR("AdmissionReview"));
    write_response(&buf, answer);
    lg_write_close(&buf, '}');
    *ret_bytes = buf.n;
    return buf.p;
}
