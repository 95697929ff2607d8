/* What the limiter's decision costs with 10,000 migrations known, without reading and writing the
 * shared ledger: a row of README's table. 200 migrate, 30 were let through a moment ago, 40 wait,
 * and one asks that has to wait. Ends with status 1 where one takes longer than the 50 us that it
 * may.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rules/core/mem.h"
#include "rules/limiter.h"
#include "tests/bench/inprocess.h"

enum { MIGRATIONS = 10000, RESERVED = 30, WAITING = 40, ROUNDS = 2000, RUNS = 5, US_MAX = 50 };

static const int64_t now_ms = 1000 * (int64_t)1000;
static struct lg_inventory *inventory;
static struct lg_ledger ledger;

static void add(const char *kind, int i, const char *rest)
{
    struct lg_buf text lg_cleanup(lg_buf_done) = {0};
    lg_buf_printf(&text,
                  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"%s\",\"metadata\":{\"name\":"
                  "\"g%d\",\"namespace\":\"web\",\"uid\":\"uid-%d\"},%s}",
                  kind, i, i, rest);
    lg_add_object(inventory, lg_buf_view(&text));
}

static void fill(void)
{
    char rest[128];
    for (int i = 0; i < MIGRATIONS; i++) {
        snprintf(rest, sizeof rest, "\"status\":{\"phase\":\"Running\",\"nodeName\":\"n%d\"}",
                 i % 100);
        add("VirtualMachineInstance", i, rest);
        snprintf(rest, sizeof rest, "\"spec\":{\"vmiName\":\"g%d\"},\"status\":{\"phase\":\"%s\"}",
                 i, i % 50 == 0 ? "Running" : "Succeeded");
        add("VirtualMachineInstanceMigration", i, rest);
    }
}

/* True: it may start. */
static bool decide(const char *ns, int i, int64_t limit)
{
    struct lg_turnout turnout;
    char guest[32], id[32];
    snprintf(guest, sizeof guest, "w%d", i);
    snprintf(id, sizeof id, "ask-%d", i);
    struct lg_ask ask = {.ns = lg_str_of(ns),
                         .guest = lg_str_of(guest),
                         .node = LG_STR("n1"),
                         .name = lg_str_of(guest),
                         .id = lg_str_of(id),
                         .user = LG_STR("alice"),
                         .limit = {limit, limit, 0},
                         .now_ms = now_ms,
                         .now_unix_s = now_ms / 1000};
    (void)lg_ledger_tidy(&ledger, now_ms, lg_limiter_seen, inventory);
    lg_limits_decide(&ask, lg_inventory_slots(inventory), &ledger, &turnout);
    return turnout.admitted;
}

int main(void)
{
    double least_us = 1e9;
    inventory = lg_inventory_new();
    fill();
    for (int i = 0; i < RESERVED + WAITING; i++)
        if (decide("others", i, i < RESERVED ? MIGRATIONS : 1) != (i < RESERVED))
            abort();
    for (int run = 0; run < RUNS; run++) {
        double from_us = lg_cpu_us();
        for (int i = 0; i < ROUNDS; i++)
            if (decide("mine", 0, 1))
                abort();
        double us = (lg_cpu_us() - from_us) / ROUNDS;
        least_us = us < least_us ? us : least_us;
    }
    printf("| %d known, 200 under way, %d reserved, %d waiting | %.1f us |\n", MIGRATIONS, RESERVED,
           WAITING, least_us);
    lg_ledger_done(&ledger);
    lg_inventory_free(inventory);
    return least_us > US_MAX;
}
