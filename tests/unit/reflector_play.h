/* One reflector that is played with, without a network: what tests of it share. One thread. */
#ifndef LG_TESTS_UNIT_REFLECTOR_PLAY_H
#define LG_TESTS_UNIT_REFLECTOR_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "webhook/cluster/reflector.h"

struct play {
    struct lg_store *store;
    struct lg_reflector *r;
    int64_t now_ms;
    char path[512];
    int64_t head_ms, idle_ms; /* of the last request */
};

static inline int set_up_some(void **state, enum lg_kind kind, size_t objects_max)
{
    struct play *p = lg_calloc(1, sizeof *p);
    p->store = lg_store_new();
    p->r = lg_reflector_new(&(struct lg_reflector_options){.kind = kind,
                                                           .store = p->store,
                                                           .server = "https://api:6443",
                                                           .credential = "/etc/config",
                                                           .seed = 42,
                                                           .objects_max = objects_max});
    p->now_ms = 1000;
    *state = p;
    return 0;
}

static inline int set_up_kind(void **state, enum lg_kind kind)
{
    return set_up_some(state, kind, 0);
}

static inline int set_up(void **state)
{
    return set_up_kind(state, LG_KIND_CLAIM);
}

static inline int tear_down(void **state)
{
    struct play *p = *state;
    lg_reflector_free(p->r);
    lg_store_free(p->store);
    free(p);
    return 0;
}

/* What it asks now; for LG_ASK_NOTHING, p->now_ms is when to come again. */
static inline enum lg_ask ask(struct play *p)
{
    enum lg_ask wants = lg_reflector_wants(p->r, p->now_ms);
    struct lg_reflector_request request = lg_reflector_next(p->r, p->now_ms);
    assert_int_equal(request.ask, wants);
    p->head_ms = request.head_ms;
    p->idle_ms = request.idle_ms;
    if (request.ask != LG_ASK_NOTHING)
        (void)snprintf(p->path, sizeof p->path, "%.*s", LG_ARG(request.path));
    return request.ask;
}

/* Lets time pass until it asks; how long that took. */
static inline int64_t wait_for(struct play *p, enum lg_ask wanted)
{
    int64_t start_ms = p->now_ms;
    struct lg_reflector_request request = lg_reflector_next(p->r, p->now_ms);
    assert_int_equal(request.ask, LG_ASK_NOTHING);
    assert_true(request.at_ms > p->now_ms);
    p->now_ms = request.at_ms;
    assert_int_equal(ask(p), wanted);
    return p->now_ms - start_ms;
}

static inline enum lg_err_code send(struct play *p, const char *text, struct lg_err *err)
{
    return lg_reflector_chunk(p->r, lg_str_of(text), p->now_ms, err);
}

static inline void end(struct play *p, int status, const char *body)
{
    struct lg_http_answer answer = {.status = status, .body = lg_str_of(body != NULL ? body : "")};
    lg_reflector_ended(p->r, &answer, p->now_ms);
}

static inline void break_off(struct play *p, int status, enum lg_err_code code, const char *text)
{
    struct lg_http_answer answer = {.status = status};
    (void)lg_err_set(&answer.err, code, "https://api:6443", "%s", text);
    lg_reflector_ended(p->r, &answer, p->now_ms);
}

/* A 2xx answer with this body; what the reader refuses ends it. */
static inline void answer(struct play *p, const char *text)
{
    struct lg_http_answer made = {.status = 200};
    lg_reflector_head(p->r, p->now_ms);
    (void)send(p, text, &made.err);
    lg_reflector_ended(p->r, &made, p->now_ms);
}

#define ITEM(name, volume)                                                                         \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"web\",\"resourceVersion\":\"3\"},"       \
    "\"spec\":{\"volumeName\":\"" volume "\"}}"
#define LIST(version, next, items)                                                                 \
    "{\"kind\":\"PersistentVolumeClaimList\",\"apiVersion\":\"v1\",\"metadata\":{"                 \
    "\"resourceVersion\":\"" version "\"" next "},\"items\":[" items "]}"
#define NEXT(token) ",\"continue\":\"" token "\""
#define EVENT(type, name, version, volume)                                                         \
    "{\"type\":\"" type "\",\"object\":{\"metadata\":{\"name\":\"" name                            \
    "\",\"namespace\":\"web\",\"resourceVersion\":\"" version                                      \
    "\"},\"spec\":{\"volumeName\":\"" volume "\"}}}\n"
#define STATUS(code, message)                                                                      \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"" message "\",\"code\":" #code "}"

static inline size_t count(struct play *p)
{
    return lg_inventory_count(lg_store_pending(p->store), LG_KIND_CLAIM);
}

static inline enum lg_known known(struct play *p)
{
    enum lg_known k = lg_inventory_known(lg_store_pending(p->store), LG_KIND_CLAIM);
    assert_int_equal(lg_reflector_report(p->r).known, k);
    return k;
}

static inline void expect_problem(struct play *p, enum lg_err_code code, const char *where,
                                  const char *text)
{
    const struct lg_err *problem = lg_reflector_report(p->r).problem;
    assert_int_equal(problem->code, code);
    assert_string_equal(problem->where, where);
    assert_string_equal(problem->text, text);
}

#endif
