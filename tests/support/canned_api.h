/* A canned API server for tests and benches: lists, pages, watches and bookmarks of objects that it
 * was given or that it makes, over TLS, with faults on demand. It knows the kinds of
 * rules/kube/gvk.h and nothing of validation.
 *
 * Objects are rendered once; a list or an event costs copying. Versions are decimal and count up by
 * one with each change. One object may be used by any thread.
 */
#ifndef LG_TESTS_SUPPORT_CANNED_API_H
#define LG_TESTS_SUPPORT_CANNED_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/core/str.h"
#include "rules/kube/gvk.h"

struct lg_canned;

enum lg_canned_verb {
    LG_CANNED_LIST,
    LG_CANNED_MORE,
    LG_CANNED_WATCH,
    LG_CANNED_GET,
    LG_CANNED_VERBS
};

/* Instead of an answer, besides any HTTP status from 400. */
enum {
    LG_CANNED_CUT = 1,     /* 200, and the connection breaks within the first object */
    LG_CANNED_ERROR_EVENT, /* watch: 200, and an ERROR event with code 410 */
    LG_CANNED_GARBAGE,     /* 200, and what is no JSON */
    LG_CANNED_HANG,        /* 200, and nothing more */
    LG_CANNED_LOOP,        /* list: a page that is followed by itself */
};

struct lg_canned_options {
    unsigned port;       /* 0: any */
    unsigned threads;    /* 0: one */
    bool plain;          /* HTTP on the loopback address, without TLS */
    const char *token;   /* who bears another one gets 401; NULL: anybody is served */
    int64_t bookmark_ms; /* 0: bookmarks only by lg_canned_bookmark */
    /* objects to make, "node-0" ... in namespaces "ns-0" to "ns-49" */
    size_t counts[LG_KIND_COUNT];
};

/* Starts it, or ends the process with a line on stderr. */
struct lg_canned *lg_canned_start(const struct lg_canned_options *options)
    __attribute__((returns_nonnull));
void lg_canned_stop(struct lg_canned *canned);

/* Keeps the port for a server that is stopped and started again with it: nobody listens meanwhile,
 * and nobody else gets it. A descriptor to close. */
int lg_canned_hold_port(unsigned port);

unsigned lg_canned_port(const struct lg_canned *canned);
/* Its authority's certificate, PEM; "" when plain. */
const char *lg_canned_ca(const struct lg_canned *canned);
/* Writes a kubeconfig for it; `token` NULL: its own. */
void lg_canned_kubeconfig(const struct lg_canned *canned, const char *path, const char *token);

void lg_canned_set_token(struct lg_canned *canned, const char *token);

/* Adds or replaces the object (JSON with metadata.name) and tells the watches. */
void lg_canned_put(struct lg_canned *canned, enum lg_kind kind, const char *object);
void lg_canned_delete(struct lg_canned *canned, enum lg_kind kind, const char *ns,
                      const char *name);
/* Changes `n` objects, one after the other, again and again: each gets a new version and an
 * annotation. */
void lg_canned_touch(struct lg_canned *canned, enum lg_kind kind, size_t n);
/* lg_canned_touch of `per_second` objects a second from now on; 0 ends it. */
void lg_canned_storm(struct lg_canned *canned, enum lg_kind kind, unsigned per_second);
void lg_canned_bookmark(struct lg_canned *canned);

/* The next `times` requests of this sort are answered with `status` (or LG_CANNED_...); -1: until
 * changed. */
void lg_canned_fault(struct lg_canned *canned, enum lg_kind kind, enum lg_canned_verb verb,
                     int status, int times);
/* Watches of the kind are told nothing until it is unmuted; then what happened meanwhile. */
void lg_canned_mute(struct lg_canned *canned, enum lg_kind kind, bool muted);
/* Breaks all watches off. */
void lg_canned_disconnect(struct lg_canned *canned);
/* Forgets the past: watches and `continue` from versions before now are 410. Open watches go on. */
void lg_canned_compact(struct lg_canned *canned);

/* Any ConfigMap that is asked for is there from now on: one object, without data, that a merge
 * patch changes where it names its version (else 409). The next `lost` patches are done and
 * answered with 500. */
void lg_canned_config_map(struct lg_canned *canned, int lost);
/* Whoever reads it is told 200, and nothing more, while it hangs. */
void lg_canned_hang_config_map(struct lg_canned *canned, bool hangs);
/* Puts this there, as a new version. */
void lg_canned_set_config_map_text(struct lg_canned *canned, const char *text);
/* After the next read this is put there, before whoever read it can write; borrowed until then. */
void lg_canned_race_config_map(struct lg_canned *canned, const char *text);
/* What lies in its data under "ledger"; given. */
char *lg_canned_config_map_text(struct lg_canned *canned);

uint64_t lg_canned_version(struct lg_canned *canned);
/* Requests so far; the last one's path and query is copied to `ret_last` where that is not NULL. */
unsigned lg_canned_requests(struct lg_canned *canned, enum lg_kind kind, enum lg_canned_verb verb,
                            char ret_last[512]);
/* Watches that are open. */
size_t lg_canned_watches(struct lg_canned *canned);

#endif
