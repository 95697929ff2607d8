/* Many clients of one server, each on a TLS connection of its own that stands before anything is
 * asked: what they ask then comes at once, however long a busy machine takes over handshakes.
 *
 * Failures fail the running cmocka test. One thread.
 */
#ifndef LG_TESTS_SUPPORT_CLIENTS_H
#define LG_TESTS_SUPPORT_CLIENTS_H

#include "tests/support/serve.h"

struct lg_clients;

/* Connects `n` from this address ("127.0.0.2"), one after the other. Given. */
struct lg_clients *lg_clients_new(struct lg_serve *serve, const char *from, size_t n)
    __attribute__((nonnull, returns_nonnull, warn_unused_result));
/* Hangs up; NULL is fine. */
void lg_clients_free(struct lg_clients *take_clients);

/* Client `i` writes this. */
void lg_clients_say(struct lg_clients *clients, size_t i, struct lg_str text)
    __attribute__((nonnull));
/* Client `i` writes the head of a post of JSON, of which `bytes` are to come. */
void lg_clients_say_head(struct lg_clients *clients, size_t i, const char *path, size_t bytes)
    __attribute__((nonnull));
/* Client `i` posts this JSON. */
void lg_clients_post(struct lg_clients *clients, size_t i, const char *path, struct lg_str body)
    __attribute__((nonnull));
/* The answer to that, head and body, is added to `io_answer`. */
void lg_clients_read(struct lg_clients *clients, size_t i, int64_t deadline_ms,
                     struct lg_buf *io_answer) __attribute__((nonnull));

#endif
