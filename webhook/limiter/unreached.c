#include "webhook/limiter/unreached.h"

#include <pthread.h>
#include <stdlib.h>

#include "rules/core/mem.h"

struct entry {
    struct lg_arena arena; /* the texts */
    struct lg_missed missed;
    unsigned told; /* so many of its answers stand in a ledger that is being written */
    int retry_s;
};

struct lg_unreached {
    pthread_mutex_t lock;
    struct entry *entries[LG_UNREACHED_MAX];
    size_t n;
};

struct lg_unreached *lg_unreached_new(void)
{
    struct lg_unreached *unreached = lg_calloc(1, sizeof *unreached);
    pthread_mutex_init(&unreached->lock, NULL);
    return unreached;
}

static void drop(struct lg_unreached *unreached, size_t i)
{
    lg_arena_done(&unreached->entries[i]->arena);
    free(unreached->entries[i]);
    unreached->entries[i] = unreached->entries[--unreached->n];
}

void lg_unreached_free(struct lg_unreached *unreached)
{
    if (unreached == NULL)
        return;
    while (unreached->n != 0)
        drop(unreached, unreached->n - 1);
    pthread_mutex_destroy(&unreached->lock);
    free(unreached);
}

/* Whoever has not come back by now does not wait any more. */
static void tidy(struct lg_unreached *unreached, int64_t now_ms)
{
    for (size_t i = 0; i < unreached->n; i++)
        if (now_ms - unreached->entries[i]->missed.due_ms >= LG_TICKET_EXPIRY_MS)
            drop(unreached, i--);
}

/* The caller's entry, new where it has none; NULL: there is no room. */
static struct entry *entry_of(struct lg_unreached *unreached, const struct lg_ask *ask,
                              struct lg_str user)
{
    for (size_t i = 0; i < unreached->n; i++) {
        const struct lg_missed *missed = &unreached->entries[i]->missed;
        if (lg_str_eq(missed->ns, ask->ns) && lg_str_eq(missed->guest, ask->guest) &&
            lg_str_eq(missed->user, user))
            return unreached->entries[i];
    }
    if (unreached->n == LG_UNREACHED_MAX)
        return NULL;
    struct entry *entry = lg_calloc(1, sizeof *entry);
    lg_arena_init(&entry->arena);
    entry->missed.since_ms = ask->now_ms;
    unreached->entries[unreached->n++] = entry;
    return entry;
}

/* The first answers of those that are kept are not needed any more. */
static void forget(struct entry *entry, unsigned n)
{
    struct lg_missed *missed = &entry->missed;
    missed->n -= n;
    memmove(missed->ids, missed->ids + n, missed->n * sizeof *missed->ids);
    entry->told -= entry->told < n ? entry->told : n;
}

static void count(struct entry *entry, const struct lg_ask *ask, struct lg_str user, unsigned tries)
{
    struct lg_missed *missed = &entry->missed;
    if (missed->n == LG_RETRIES)
        forget(entry, 1);
    lg_arena_reset(&entry->arena);
    missed->ns = lg_arena_str(&entry->arena, ask->ns);
    missed->guest = lg_arena_str(&entry->arena, ask->guest);
    missed->node = lg_arena_str(&entry->arena, ask->node);
    missed->user = lg_arena_str(&entry->arena, user);
    missed->id = lg_arena_str(&entry->arena, ask->id);
    missed->ids[missed->n++] = ask->id.n != 0 ? lg_ledger_hash(ask->id, LG_STR(""), LG_STR("")) : 0;
    entry->retry_s = lg_retry_missed_s(missed, tries);
    missed->due_ms = ask->now_ms + entry->retry_s * (int64_t)1000;
}

int lg_unreached_answer(struct lg_unreached *unreached, const struct lg_ask *ask, unsigned tries)
{
    char buf[LG_LEDGER_USER_BYTES_MAX + 24];
    struct lg_str user = lg_ledger_user(ask->user, buf);
    const struct lg_missed alone = {.guest = ask->guest, .id = ask->id, .n = 1};
    int retry_s = 0;
    pthread_mutex_lock(&unreached->lock);
    tidy(unreached, ask->now_ms);
    struct entry *entry = entry_of(unreached, ask, user);
    if (entry != NULL) {
        if (entry->missed.n == 0 || ask->id.n == 0 || !lg_str_eq(entry->missed.id, ask->id))
            count(entry, ask, user, tries);
        retry_s = entry->retry_s;
    }
    pthread_mutex_unlock(&unreached->lock);
    return entry != NULL ? retry_s : lg_retry_missed_s(&alone, tries);
}

bool lg_unreached_tell(struct lg_unreached *unreached, struct lg_ledger *io_ledger, int64_t now_ms)
{
    bool changed = false;
    pthread_mutex_lock(&unreached->lock);
    tidy(unreached, now_ms);
    for (size_t i = 0; i < unreached->n; i++) {
        struct entry *entry = unreached->entries[i];
        changed = lg_ledger_add_missed(io_ledger, &entry->missed) || changed;
        entry->told = entry->missed.n;
    }
    pthread_mutex_unlock(&unreached->lock);
    return changed;
}

void lg_unreached_told(struct lg_unreached *unreached)
{
    pthread_mutex_lock(&unreached->lock);
    for (size_t i = 0; i < unreached->n; i++) {
        struct entry *entry = unreached->entries[i];
        forget(entry, entry->told);
        if (entry->missed.n == 0)
            drop(unreached, i--);
    }
    pthread_mutex_unlock(&unreached->lock);
}
