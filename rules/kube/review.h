/* AdmissionReview v1: reading the request, writing the answer. Source: k8s.io/api/admission/v1. Any
 * thread. */
#ifndef LG_RULES_KUBE_REVIEW_H
#define LG_RULES_KUBE_REVIEW_H

#include "rules/core/json.h"
#include "rules/kube/gvk.h"

struct lg_review {
    struct lg_str uid;
    struct lg_str operation; /* CREATE, UPDATE, DELETE, CONNECT */
    struct lg_str group, version, kind_name, resource,
        subresource; /* of request.kind and request.resource */
    enum lg_kind kind;
    struct lg_str ns, name;
    struct lg_str username;
    struct lg_val groups;
    bool dry_run;
    struct lg_val object, old_object;
    /* the text is readable but breaks a limit (depth, nodes, duplicate keys): a denial */
    bool refused;
    struct lg_err refusal; /* where = path inside the object */
};

/* Reads a body (borrowed). LG_E_INVALID: no AdmissionReview v1 with a request and a uid; err says
 * what. A review that breaks a limit of the reader gives LG_E_OK with `refused` where its uid could
 * be read. */
enum lg_err_code lg_review_decode(struct lg_arena *arena, struct lg_str body, struct lg_review *ret,
                                  struct lg_err *err) __attribute__((warn_unused_result));

struct lg_answer_cause {
    struct lg_str reason, field, message;
};

struct lg_answer_note { /* audit annotation */
    const char *key;
    struct lg_str value;
};

struct lg_answer {
    struct lg_str uid;
    bool allowed;
    int code;           /* of a denial: 403, 422, 429 */
    const char *reason; /* "Forbidden", "Invalid" is never used with 403, "TooManyRequests" */
    struct lg_str message;
    struct lg_str group, kind_name, name; /* details */
    const struct lg_answer_cause *causes;
    size_t n_causes;
    int retry_after_s; /* 0 = none */
    const struct lg_str *warnings;
    size_t n_warnings;
    const struct lg_answer_note *notes;
    size_t n_notes;
    struct lg_str patch; /* JSON Patch text, "" = none */
};

/* Writes the AdmissionReview that answers. Given: free(). Text that is no UTF-8 is made printable
 * first. */
char *lg_review_encode(const struct lg_answer *answer, size_t *ret_bytes)
    __attribute__((returns_nonnull));

#endif
