/* The parts of the server that need no server: durations, addresses, the registry of
 * connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "webhook/server/address.h"
#include "webhook/server/connections.h"
#include "webhook/server/duration.h"
#include "webhook/server/review.h"

/* --- durations --- */

static void durations_are_read_as_go_reads_them(void **state)
{
    static const struct {
        const char *text;
        enum lg_err_code code;
        int64_t ms;
    } rows[] = {
        {"3s", LG_E_OK, 3000},
        {"500ms", LG_E_OK, 500},
        {"1m", LG_E_OK, 60000},
        {"1m30s", LG_E_OK, 90000},
        {"1.5s", LG_E_OK, 1500},
        {"0", LG_E_OK, 0},
        {"0s", LG_E_OK, 0},
        {"+2s", LG_E_OK, 2000},
        {".5s", LG_E_OK, 500},
        {"1.s", LG_E_OK, 1000},
        {"1500us", LG_E_OK, 1},
        {"999us", LG_E_OK, 0},
        {"24h", LG_E_OK, 86400000},
        {"1\xc2\xb5s", LG_E_OK, 0},
        {"2.000000000000001s", LG_E_OK, 2000},
        {"", LG_E_INVALID, 0},
        {"3", LG_E_INVALID, 0},
        {"s", LG_E_INVALID, 0},
        {"-3s", LG_E_INVALID, 0},
        {"3 s", LG_E_INVALID, 0},
        {"3S", LG_E_INVALID, 0},
        {"1d", LG_E_INVALID, 0},
        {".s", LG_E_INVALID, 0},
        {"1.2.3s", LG_E_INVALID, 0},
        {"3s4", LG_E_INVALID, 0},
        {"24h1ms", LG_E_LIMIT, 0},
        {"99999999999999999999s", LG_E_LIMIT, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -1;
        enum lg_err_code code = lg_duration_ms(lg_str_of(rows[i].text), &ms);
        if (code != rows[i].code || (code == LG_E_OK && ms != rows[i].ms))
            fail_msg("\"%s\": code %d, %lld ms", rows[i].text, code, (long long)ms);
        if (code != LG_E_OK)
            assert_int_equal(ms, -1);
    }
}

static void a_review_waits_as_the_query_says_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(lg_review_timeout_ms("10s"), 10000);
    assert_int_equal(lg_review_timeout_ms("1m"), LG_REVIEW_TIMEOUT_MS_MAX);
    assert_int_equal(lg_review_timeout_ms("0s"), LG_REVIEW_TIMEOUT_MS);
    assert_int_equal(lg_review_timeout_ms("soon"), LG_REVIEW_TIMEOUT_MS);
    assert_int_equal(lg_review_timeout_ms(NULL), LG_REVIEW_TIMEOUT_MS);
}

/* --- addresses --- */

static void addresses_are_read(void **state)
{
    static const char *const bad[] = {
        "",          "8443",       "127.0.0.1",   "127.0.0.1:",  "127.0.0.1:65536", "::1:8443",
        "[::1]",     "[]:1",       "localhost:1", "127.0.0.1:x", "[127.0.0.1]:1",   "127.0.0.1:-1",
        "[::1:8443", "256.0.0.1:1"};
    struct lg_address address = {0};
    struct lg_err err = {0};
    (void)state;

    assert_int_equal(lg_address_parse("127.0.0.1:8443", "--listen", &address, &err), LG_E_OK);
    assert_int_equal(address.at.ss_family, AF_INET);
    assert_int_equal(ntohs(((struct sockaddr_in *)&address.at)->sin_port), 8443);
    assert_int_equal(lg_address_parse("[::1]:0", "--listen", &address, &err), LG_E_OK);
    assert_int_equal(address.at.ss_family, AF_INET6);
    assert_false(address.everywhere);
    assert_int_equal(lg_address_parse(":8080", "--listen", &address, &err), LG_E_OK);
    assert_true(address.everywhere);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct lg_err){0};
        if (lg_address_parse(bad[i], "--listen", &address, &err) != LG_E_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_string_equal(err.where, "--listen");
        assert_non_null(strstr(err.text, "is not ADDR:PORT"));
        assert_int_equal(err.os_errno, 0);
        assert_false(err.truncated);
    }
}

static void a_port_in_use_says_what_to_do(void **state)
{
    struct lg_address address = {0};
    struct lg_err err = {0};
    char text[LG_ADDRESS_TEXT_BYTES];
    int first = -1, second = -1;
    (void)state;

    assert_int_equal(lg_address_parse("127.0.0.1:0", "--listen", &address, &err), LG_E_OK);
    assert_int_equal(lg_address_listen(&address, "--listen", &first, &err), LG_E_OK);
    lg_address_of(first, text);
    assert_int_equal(lg_address_parse(text, "--ops-listen", &address, &err), LG_E_OK);
    assert_int_not_equal(lg_address_listen(&address, "--ops-listen", &second, &err), LG_E_OK);
    assert_int_equal(second, -1);
    assert_int_equal(err.os_errno, EADDRINUSE);
    assert_string_equal(err.where, text);
    assert_non_null(strstr(err.text, "stop the program that listens there"));
    assert_non_null(strstr(err.text, "--ops-listen"));
    close(first);
}

/* --- connections --- */

enum { REQUEST_MS = 5000 };

/* Both ends of a TCP connection. */
struct wire {
    int client, server;
};

static struct wire wire_open(void)
{
    struct lg_address address = {0};
    struct lg_err err = {0};
    struct wire wire = {-1, -1};
    struct sockaddr_in at = {0};
    socklen_t n = sizeof at;
    int listening = -1;

    assert_int_equal(lg_address_parse("127.0.0.1:0", "--listen", &address, &err), LG_E_OK);
    assert_int_equal(lg_address_listen(&address, "--listen", &listening, &err), LG_E_OK);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&at, &n), 0);
    wire.client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(wire.client, (struct sockaddr *)&at, n), 0);
    struct pollfd ready = {listening, POLLIN, 0};
    assert_int_equal(poll(&ready, 1, 5000), 1);
    wire.server = accept(listening, NULL, NULL);
    assert_true(wire.server >= 0);
    close(listening);
    return wire;
}

/* Sends one byte and waits until the other end has it. */
static void wire_send(struct wire wire, const char *text)
{
    struct pollfd ready = {wire.server, POLLIN, 0};
    char c;
    assert_int_equal(write(wire.client, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(poll(&ready, 1, 5000), 1);
    assert_int_equal(read(wire.server, &c, 1), 1);
}

static void wire_close(struct wire wire)
{
    close(wire.client);
    close(wire.server);
}

/* True when the registry has shut the connection. */
static bool is_shut(struct wire wire)
{
    char c;
    struct pollfd ready = {wire.client, POLLIN, 0};
    return poll(&ready, 1, 0) == 1 && read(wire.client, &c, 1) == 0;
}

static struct lg_connections *registry(bool tls)
{
    return lg_connections_new(&(struct lg_connections_limits){
        .total = 4, .per_address = 2, .request_ms = REQUEST_MS, .tls = tls});
}

static void a_connection_without_a_complete_request_is_shut(void **state)
{
    struct lg_connections *connections = registry(false);
    struct wire wire = wire_open();
    struct lg_connection *entry = lg_connection_opened(connections, wire.server, NULL, 1000);
    (void)state;

    assert_int_equal(lg_connections_reap(connections, 900000), 0); /* idle is not the reaper's */
    wire_send(wire, "G");
    assert_int_equal(lg_connections_reap(connections, 1000000), 0);
    wire_send(wire, "E"); /* dripping does not help */
    assert_int_equal(lg_connections_reap(connections, 1000000 + REQUEST_MS - 1), 0);
    assert_false(is_shut(wire));
    assert_int_equal(lg_connections_reap(connections, 1000000 + REQUEST_MS), 1);
    assert_true(is_shut(wire));
    assert_int_equal(lg_connections_reap(connections, 1000000 + REQUEST_MS + 1), 0); /* once */
    lg_connection_closed(connections, entry);
    lg_connections_free(connections);
    wire_close(wire);
}

static void complete_requests_keep_a_connection(void **state)
{
    struct lg_connections *connections = registry(false);
    struct wire wire = wire_open();
    struct lg_connection *entry = lg_connection_opened(connections, wire.server, NULL, 0);
    (void)state;

    for (int64_t now = 1000; now < 60000; now += 1000) {
        wire_send(wire, "x");
        assert_int_equal(lg_connections_reap(connections, now), 0); /* sees it before it is done */
        lg_connection_complete(entry, 1, now);
        assert_int_equal(lg_connections_reap(connections, now), 0);
    }
    /* After its last request it may idle, but not begin another without end. */
    assert_int_equal(lg_connections_reap(connections, 160000), 0);
    wire_send(wire, "x");
    assert_int_equal(lg_connections_reap(connections, 161000), 0);
    assert_int_equal(lg_connections_reap(connections, 161000 + REQUEST_MS), 1);
    lg_connection_closed(connections, entry);
    lg_connections_free(connections);
    wire_close(wire);
}

/* What came with a complete request, before the reaper looked, is the start of the next. */
static void bytes_behind_a_request_are_timed(void **state)
{
    struct lg_connections *connections = registry(false);
    struct wire wire = wire_open();
    struct lg_connection *entry = lg_connection_opened(connections, wire.server, NULL, 0);
    (void)state;

    wire_send(wire, "whole+p");
    lg_connection_complete(entry, 6, 1000);
    assert_int_equal(lg_connections_reap(connections, 1000), 0);
    assert_int_equal(lg_connections_reap(connections, 1000 + REQUEST_MS - 1), 0);
    assert_int_equal(lg_connections_reap(connections, 1000 + REQUEST_MS), 1);
    assert_true(is_shut(wire));
    lg_connection_closed(connections, entry);
    lg_connections_free(connections);
    wire_close(wire);
}

static void bytes_behind_a_handshake_are_timed(void **state)
{
    struct lg_connections *connections = registry(true);
    struct wire wire = wire_open();
    struct lg_connection *entry = lg_connection_opened(connections, wire.server, NULL, 1000);
    (void)state;

    lg_connection_received(entry, 500); /* the handshake's own */
    lg_connection_shaken(entry);
    assert_int_equal(lg_connections_reap(connections, 2000), 0);
    lg_connection_received(entry, 9);
    lg_connection_begin(entry);
    lg_connection_complete(entry, 7, 2100);
    lg_connection_answered(entry);
    assert_int_equal(lg_connections_reap(connections, 6000), 0);
    assert_int_equal(lg_connections_reap(connections, 6000 + REQUEST_MS - 1), 0);
    assert_int_equal(lg_connections_reap(connections, 6000 + REQUEST_MS), 1);
    assert_true(is_shut(wire));
    lg_connection_closed(connections, entry);
    lg_connections_free(connections);
    wire_close(wire);
}

static void an_unfinished_handshake_is_shut_even_when_silent(void **state)
{
    struct lg_connections *connections = registry(true);
    struct wire silent = wire_open(), done = wire_open();
    struct lg_connection *first = lg_connection_opened(connections, silent.server, NULL, 1000);
    struct lg_connection *second = lg_connection_opened(connections, done.server, NULL, 1000);
    (void)state;

    lg_connection_shaken(second);
    assert_int_equal(lg_connections_reap(connections, 1000 + REQUEST_MS - 1), 0);
    assert_int_equal(lg_connections_reap(connections, 1000 + REQUEST_MS), 1);
    assert_true(is_shut(silent));
    assert_false(is_shut(done));
    lg_connection_closed(connections, first);
    lg_connection_closed(connections, second);
    lg_connections_free(connections);
    wire_close(silent);
    wire_close(done);
}

static struct sockaddr *address(unsigned n)
{
    static struct sockaddr_in at;
    at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000u + n)};
    return (struct sockaddr *)&at;
}

static void limits_hold_in_total_and_by_address(void **state)
{
    struct lg_connections *connections = registry(false);
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    struct lg_connection *entries[4];
    (void)state;

    inet_pton(AF_INET6, "::ffff:10.0.0.1", &mapped.sin6_addr);
    assert_int_equal(lg_connections_admit(connections, address(1), 0), LG_ADMIT);
    entries[0] = lg_connection_opened(connections, -1, address(1), 0);
    entries[1] = lg_connection_opened(connections, -1, (struct sockaddr *)&mapped, 0);
    assert_int_equal(lg_connections_admit(connections, address(1), 0), LG_REFUSE_ADDRESS);
    assert_int_equal(lg_connections_admit(connections, address(2), 0), LG_ADMIT);
    entries[2] = lg_connection_opened(connections, -1, address(2), 0);
    entries[3] = lg_connection_opened(connections, -1, address(2), 0);
    /* All are in their grace. */
    assert_int_equal(lg_connections_admit(connections, address(3), LG_CONNECTIONS_GRACE_MS - 1),
                     LG_REFUSE_TOTAL);
    assert_int_equal(lg_connections_open(connections), 4);
    lg_connection_closed(connections, entries[1]);
    assert_int_equal(lg_connections_admit(connections, address(1), 0), LG_ADMIT);
    lg_connection_closed(connections, entries[0]);
    lg_connection_closed(connections, entries[3]);
    lg_connection_closed(connections, entries[2]);
    lg_connection_closed(connections, NULL);
    assert_int_equal(lg_connections_open(connections), 0);
    lg_connections_free(connections);
}

/* --- whom a newcomer displaces --- */

enum { PLACES = 24 };

/* A registry that is full: connection i comes from the address by[i], was opened at i ms, and
 * completed its last request at used_ms[i] (0 = none). */
struct crowd {
    struct lg_connections *connections;
    struct lg_connection *entries[PLACES];
    struct wire wires[PLACES];
    struct lg_connection *newcomers[PLACES];
    unsigned n_newcomers;
};

static void crowd_open(struct crowd *crowd, const unsigned by[PLACES],
                       const int64_t used_ms[PLACES])
{
    crowd->n_newcomers = 0;
    crowd->connections = lg_connections_new(&(struct lg_connections_limits){
        .total = PLACES, .per_address = PLACES, .request_ms = REQUEST_MS});
    for (unsigned i = 0; i < PLACES; i++) {
        crowd->wires[i] = wire_open();
        crowd->entries[i] =
            lg_connection_opened(crowd->connections, crowd->wires[i].server, address(by[i]), i);
        if (used_ms[i] == 0)
            continue;
        lg_connection_begin(crowd->entries[i]);
        lg_connection_complete(crowd->entries[i], 0, used_ms[i]);
        lg_connection_answered(crowd->entries[i]);
    }
}

static void crowd_close(struct crowd *crowd)
{
    for (unsigned i = 0; i < PLACES; i++) {
        lg_connection_closed(crowd->connections, crowd->entries[i]);
        wire_close(crowd->wires[i]);
    }
    while (crowd->n_newcomers > 0)
        lg_connection_closed(crowd->connections, crowd->newcomers[--crowd->n_newcomers]);
    lg_connections_free(crowd->connections);
}

/* Which one a newcomer displaces, from an address of its own; PLACES = none. */
static unsigned displaced(struct crowd *crowd, int64_t now_ms)
{
    bool before[PLACES];
    unsigned found = PLACES;

    for (unsigned i = 0; i < PLACES; i++)
        before[i] = is_shut(crowd->wires[i]);
    unsigned from = 100 + crowd->n_newcomers;
    enum lg_admission admission = lg_connections_admit(crowd->connections, address(from), now_ms);
    for (unsigned i = 0; i < PLACES; i++)
        if (!before[i] && is_shut(crowd->wires[i])) {
            assert_int_equal(found, PLACES);
            found = i;
        }
    assert_int_equal(admission, found == PLACES ? LG_REFUSE_TOTAL : LG_ADMIT_DISPLACING);
    if (admission == LG_ADMIT_DISPLACING)
        crowd->newcomers[crowd->n_newcomers++] =
            lg_connection_opened(crowd->connections, -1, address(from), now_ms);
    return found;
}

static void who_never_asked_is_displaced_first_and_the_oldest_of_them(void **state)
{
    unsigned by[PLACES];
    int64_t used_ms[PLACES];
    struct crowd crowd;
    (void)state;

    for (unsigned i = 0; i < PLACES; i++) {
        by[i] = i == 5 || i == 9 ? 2 : 1;
        used_ms[i] = i == 5 || i == 9 || i == 20 ? 0 : 100;
    }
    crowd_open(&crowd, by, used_ms);
    assert_int_equal(displaced(&crowd, LG_CONNECTIONS_GRACE_MS + 5), 5);
    assert_int_equal(displaced(&crowd, LG_CONNECTIONS_GRACE_MS + 9), 9);
    /* The third is younger, and of a crowd. */
    assert_int_equal(displaced(&crowd, LG_CONNECTIONS_GRACE_MS + 9), 20);
    assert_int_equal(displaced(&crowd, LG_CONNECTIONS_GRACE_MS + 9), 0); /* used, of the crowd */
    crowd_close(&crowd);
}

static void a_crowd_displaces_its_own(void **state)
{
    unsigned by[PLACES];
    int64_t used_ms[PLACES];
    struct crowd crowd;
    (void)state;

    /* Address 1 holds 20 and uses them all the time; address 2 holds four, and has been idle for
     * long. */
    for (unsigned i = 0; i < PLACES; i++) {
        by[i] = i < 20 ? 1 : 2;
        used_ms[i] = i < 20 ? 90000 - i : 1000;
    }
    crowd_open(&crowd, by, used_ms);
    lg_connection_begin(crowd.entries[19]); /* inside a request */
    assert_int_equal(displaced(&crowd, 90000), 18);
    assert_int_equal(displaced(&crowd, 90000), 17);
    lg_connection_answered(crowd.entries[19]);
    assert_int_equal(displaced(&crowd, 90000), 19);
    crowd_close(&crowd);
}

static void without_a_crowd_the_idlest_is_displaced(void **state)
{
    unsigned by[PLACES];
    int64_t used_ms[PLACES];
    struct crowd crowd;
    (void)state;

    /* An address each but for address 3, which holds a few and uses them. */
    for (unsigned i = 0; i < PLACES; i++) {
        by[i] = i < 4 ? 3 : 10 + i;
        used_ms[i] = i < 4 ? 90000 : 2000 + i;
    }
    crowd_open(&crowd, by, used_ms);
    for (unsigned i = 4; i < 4 + PLACES / 2; i++)
        assert_int_equal(displaced(&crowd, 90000), i);
    /* By now half of the places are held by newcomers, who have shown nothing yet. */
    assert_int_equal(displaced(&crowd, 90000), PLACES);
    crowd_close(&crowd);
}

static void who_is_inside_a_request_keeps_its_place(void **state)
{
    unsigned by[PLACES];
    int64_t used_ms[PLACES];
    struct crowd crowd;
    (void)state;

    for (unsigned i = 0; i < PLACES; i++) {
        by[i] = 1;
        used_ms[i] = 1000;
    }
    crowd_open(&crowd, by, used_ms);
    for (unsigned i = 0; i < PLACES; i++)
        lg_connection_begin(crowd.entries[i]);
    assert_int_equal(displaced(&crowd, 90000), PLACES);
    crowd_close(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_as_go_reads_them),
        cmocka_unit_test(a_review_waits_as_the_query_says_within_bounds),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(a_port_in_use_says_what_to_do),
        cmocka_unit_test(a_connection_without_a_complete_request_is_shut),
        cmocka_unit_test(complete_requests_keep_a_connection),
        cmocka_unit_test(bytes_behind_a_request_are_timed),
        cmocka_unit_test(bytes_behind_a_handshake_are_timed),
        cmocka_unit_test(an_unfinished_handshake_is_shut_even_when_silent),
        cmocka_unit_test(limits_hold_in_total_and_by_address),
        cmocka_unit_test(who_never_asked_is_displaced_first_and_the_oldest_of_them),
        cmocka_unit_test(a_crowd_displaces_its_own),
        cmocka_unit_test(without_a_crowd_the_idlest_is_displaced),
        cmocka_unit_test(who_is_inside_a_request_keeps_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
