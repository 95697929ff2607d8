/* What the files of the canned API server share; tests see tests/support/canned_api.h only.
 *
 *   canned_api        start, stop, where it listens, the kubeconfig for it
 *   canned_requests   what a request asks for, and who answers it
 *   canned_answer     short answers
 *   canned_list, canned_watch, canned_config_map   long ones
 *   canned_store      objects and the events of their changes
 *   canned_switches   what a test turns while it runs; storms and bookmarks in time
 *
 * One lg_canned, owned by who started it. Its mutex guards all that changes; functions below are
 * called with it held where they say so. Threads: the HTTP library's, the ticker's, and any of a
 * test's.
 */
#ifndef LG_TESTS_SUPPORT_CANNED_PARTS_H
#define LG_TESTS_SUPPORT_CANNED_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "certs/files.h"
#include "rules/core/map.h"
#include "tests/support/canned_api.h"

enum {
    LG_CANNED_EVENTS_MAX = 16384,      /* of a kind, kept for watches that go on from a version */
    LG_CANNED_PAGE_BYTES = 128 * 1024, /* what the HTTP library asks for at a time */
};

/* One rendered object, shared by the table, listings and events. */
struct lg_canned_blob {
    atomic_uint refs;
    size_t n, version_at, touched_at;
    uint64_t version;
    char *key; /* "ns/name" */
    char text[];
};

struct lg_canned_event {
    const char *type;
    struct lg_canned_blob *blob;
    uint64_t version;
};

struct lg_canned_failure {
    int status, times;
};

struct lg_canned_resource {
    struct lg_canned_blob **items;
    size_t n, size, touch_at;
    struct lg_map by_key;           /* key -> item's index + 1 */
    struct lg_canned_event *events; /* a ring: number s stands at s % LG_CANNED_EVENTS_MAX */
    uint64_t first, end;
    uint64_t compacted; /* versions below are gone */
    struct lg_canned_failure failures[LG_CANNED_VERBS];
    bool muted; /* watches are told nothing */
    unsigned requests[LG_CANNED_VERBS];
    char last[LG_CANNED_VERBS][512];
    unsigned storm_per_second;
    double storm_due;
};

struct lg_canned_watch {
    struct lg_canned *canned;
    struct lg_canned_watch *next, *previous;
    struct MHD_Connection *connection;
    enum lg_kind kind;
    uint64_t at; /* next event's sequence number */
    int64_t ends_ms;
    bool bookmarks, bookmark_due, suspended, broken, started;
    int fault;
    struct lg_buf out;
    size_t sent;
};

struct lg_canned {
    struct lg_canned_options options;
    struct MHD_Daemon *daemon;
    struct lg_cert_files files;
    char *token;
    pthread_mutex_t mutex;
    pthread_t ticker;
    bool stopping;
    uint64_t version;
    struct lg_canned_resource resources[LG_KIND_COUNT];
    struct lg_canned_watch *watches;
    bool has_config_map;
    int config_map_lost;
    bool config_map_hangs;
    const char *config_map_race; /* put there after the next read */
    unsigned config_map_version;
    struct lg_buf config_map; /* its data's text */
};

/* --- canned_store --- */

/* The objects that the options count, without events; before the first request. */
void lg_canned_store_fill(struct lg_canned *canned);
void lg_canned_store_done(struct lg_canned *canned);
struct lg_canned_blob *lg_canned_blob_ref(struct lg_canned_blob *blob);
void lg_canned_blob_unref(struct lg_canned_blob *blob);
/* lg_canned_touch with the mutex held. */
void lg_canned_store_touch(struct lg_canned *canned, enum lg_kind kind, size_t n);

/* --- canned_answer --- */

/* A parameter of the query; "" where there is none. */
const char *lg_canned_query(struct MHD_Connection *connection, const char *key);
enum MHD_Result lg_canned_answer(struct MHD_Connection *connection, int status,
                                 const struct lg_buf *body);
/* A Status of that code; `name` is whom it is about, or NULL. */
enum MHD_Result lg_canned_answer_status(struct MHD_Connection *connection, int status,
                                        const char *name);
/* Moves bytes from a text to the output. */
void lg_canned_pour(char **to, size_t *room, const char *text, size_t n, size_t *io_off);

/* --- answers: with the mutex held --- */

enum MHD_Result lg_canned_serve_list(struct lg_canned *canned, struct MHD_Connection *connection,
                                     enum lg_kind kind, int fault);
enum MHD_Result lg_canned_serve_watch(struct lg_canned *canned, struct MHD_Connection *connection,
                                      enum lg_kind kind, int fault);
/* Lets the kind's watches look for what is new; LG_KIND_COUNT: all of them. */
void lg_canned_wake(struct lg_canned *canned, enum lg_kind kind);

bool lg_canned_is_config_map(const struct lg_canned *canned, const char *url);
enum MHD_Result lg_canned_serve_config_map(struct lg_canned *canned,
                                           struct MHD_Connection *connection, const char *method,
                                           const struct lg_buf *body);

/* --- callbacks of the HTTP library and of the ticker's thread; `arg` is the lg_canned --- */

enum MHD_Result lg_canned_handle(void *arg, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_bytes, void **state);
void lg_canned_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code);
void *lg_canned_run_ticker(void *arg);

#endif
