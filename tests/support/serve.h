/* A real `livegate serve` on free loopback ports, and curl as its client.
 *
 * One fixture is a directory with certificates (made by openssl), the inventory of
 * tests/integration and, where it was started, a server. Failures fail the running cmocka test. One
 * thread.
 */
#ifndef LG_TESTS_SUPPORT_SERVE_H
#define LG_TESTS_SUPPORT_SERVE_H

#include <jansson.h>

#include "rules/core/arena.h"
#include "tests/support/process.h"

enum {
    LG_SERVE_START_MS_MAX = 120 * 1000, /* sanitizers, and a machine that does other things too */
    LG_SERVE_STOP_MS_MAX = 120 * 1000,
    LG_SERVE_ARGS_MAX = 24,
};

struct lg_serve {
    struct lg_arena arena;
    char dir[64]; /* certificates: ca.crt ca.key tls.crt tls.key; log: stderr of the server */
    struct lg_process process;
    char reviews[64], operations[64]; /* "127.0.0.1:PORT" */
};

/* Makes the directory with a certificate authority and a pair for 127.0.0.1. */
void lg_serve_init(struct lg_serve *serve);
/* Ends the server where it runs, removes the directory. */
void lg_serve_done(struct lg_serve *serve);

/* A path inside the fixture's directory; borrowed from the fixture. */
const char *lg_serve_path(struct lg_serve *serve, const char *name);

/* Signs a new pair DIR/tls.crt, DIR/tls.key with DIR/ca.key; `name` becomes its common name, and
 * `days` may be negative (it has ended already). Replaced by rename. */
void lg_serve_new_pair(struct lg_serve *serve, const char *dir, const char *name, int days);
/* A new authority DIR/ca.crt, DIR/ca.key. */
void lg_serve_new_ca(struct lg_serve *serve, const char *dir);

/* Runs openssl, which must succeed. */
void lg_serve_openssl(const char *const *argv);

/* Starts it with `extra` options (NULL-terminated, or NULL) and waits until it listens. */
void lg_serve_start(struct lg_serve *serve, const char *const *extra);
/* The same with a cluster to watch instead of the inventory. */
void lg_serve_start_watching(struct lg_serve *serve, const char *kubeconfig,
                             const char *const *extra);

/* Runs serve with exactly these options to its end. */
void lg_serve_fails(const char *const *options, struct lg_process_result *ret);

/* Sends the signal. */
void lg_serve_signal(struct lg_serve *serve, int signal);
/* Waits for its end; returns the exit status. */
int lg_serve_wait(struct lg_serve *serve);
/* SIGTERM and wait; the status must be 0, and the log without a sanitizer's report. */
void lg_serve_stop(struct lg_serve *serve);

/* The log so far; given. */
char *lg_serve_log(struct lg_serve *serve);
/* Fails the test with this message, and the whole log on stderr. */
void lg_serve_fail(struct lg_serve *serve, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Waits until the log contains `text` `times` times. */
void lg_serve_await_log(struct lg_serve *serve, const char *text, int times);

struct lg_reply {
    int curl;   /* curl's exit status */
    int status; /* HTTP, 0 = none */
    struct lg_buf body, head;
    json_t *json; /* of the body, NULL = it is none */
    int64_t took_ms;
};
void lg_reply_done(struct lg_reply *reply);

/* curl with the fixture's authority on https://REVIEWS<path>; `extra` options, `body` on standard
 * input (used where an option says @-). */
void lg_curl(struct lg_serve *serve, const char *path, const char *const *extra, struct lg_str body,
             struct lg_reply *ret);

/* POSTs a review and expects an answer: HTTP 200, an AdmissionReview. Returns its response
 * (borrowed from reply). */
json_t *lg_post_review(struct lg_serve *serve, const char *path, struct lg_str body,
                       struct lg_reply *ret);

/* GET http://OPERATIONS<path>. */
void lg_get_operation(struct lg_serve *serve, const char *path, struct lg_reply *ret);

/* The value of a metric's line, by its text before the value; -1 = no such line. */
double lg_metric_value(struct lg_serve *serve, const char *series);

/* A file of the repository as text; given (lg_buf_done). */
void lg_read_file(const char *path, struct lg_buf *ret);
void lg_write_file(const char *path, struct lg_str text);

#endif
