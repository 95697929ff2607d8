/* The limiter's pure decision: may one more migration start now, and if not, where does its caller
 * stand?
 *
 * A function of what the cluster shows (slots), what the limiter remembers (the ledger), the limits
 * and the time. Used = guests with a slot and guests with a reservation, each once. A free place is
 * offered to who waits longest (ledger.h) from LG_TICKET_AHEAD_MS before its due time until
 * LG_TICKET_GRACE_MS after it, else to the next that comes at its time; to who is first and has
 * asked so often that its client gives up soon from LG_TICKET_LAST_AHEAD_MS before it. A caller
 * whose own node is full holds back nobody else. One whose targets are full holds back only who is
 * limited by targets, too, and who could go elsewhere no longer than LG_KEPT_MS: by then all that
 * were due have come, and could not use the place. A namespace that holds half of the places by
 * reservations whose migrations nobody saw (creates that come to nothing) gets no more while others
 * are due. O(reservations + tickets), whatever the number of migrations. Any thread.
 */
#ifndef LG_RULES_VIRT_LIMITS_H
#define LG_RULES_VIRT_LIMITS_H

#include "rules/virt/retries.h"
#include "rules/virt/slots.h"

enum {
    LG_TYPICAL_S = 60, /* a migration's duration until one was seen to end */
    LG_KEPT_MS = LG_TICKET_AHEAD_MS + LG_TICKET_GRACE_MS,
    LG_HOLDERS_MAX = 5,
    LG_HOLDERS_LOOKED_AT_MAX = 256,
};

enum lg_limit { LG_LIMIT_CLUSTER, LG_LIMIT_OUTBOUND, LG_LIMIT_INBOUND, LG_LIMITS };

struct lg_ask {
    struct lg_str ns, guest, node; /* node "" = not known: only the cluster's limit counts */
    struct lg_str name, id;        /* of the migration: its uid */
    struct lg_str user;
    bool no_trace;  /* dry run, a controller, observe: what would be said, and nothing remembered */
    bool no_ticket; /* a caller that does not come back by itself */
    bool admit;     /* it goes through in any case; remembered unless no_trace */
    /* policy lets this one pass that limit: said, and nothing waits for it */
    bool waived[LG_LIMITS];
    bool show_holders;        /* other namespaces' too */
    int64_t limit[LG_LIMITS]; /* inbound: 0 = none */
    /* The nodes it could go to, where there is an inbound limit; NULL: not known. */
    const struct lg_str *targets;
    size_t n_targets;
    int64_t typical_s; /* 0 = not known */
    int64_t now_ms, now_unix_s;
};

struct lg_holder {
    struct lg_str ns, guest;
    /* "reserved" for one that was admitted a moment ago; "not started" for "" */
    struct lg_str phase;
    int64_t age_s; /* -1 = not known */
    bool self;     /* what the asker's guest holds: it is not in its own way, and not in `used` */
};

struct lg_limit_state {
    int64_t limit, used;
    /* it keeps this one from starting: used up, or what is free belongs to who waits longer */
    bool full;
    size_t ahead;
    /* the oldest first; those of the asker's namespace before others */
    struct lg_holder holders[LG_HOLDERS_MAX];
    size_t n_holders;
    size_t held; /* how many there are, of those that were looked at */
    /* Of all who hold places, whoever asks: until the first of them has ended as far as their ages
     * tell (0: nobody is known), and how many take so long that they give their places to nobody
     * soon. */
    int64_t first_s, stuck;
};

struct lg_turnout {
    bool admitted;
    bool frozen;   /* a limit of 0: nothing ever starts */
    bool own_node; /* what the guest holds already counts on its node */
    bool own;      /* the guest's slot was taken over */
    bool no_place; /* no ticket: too many wait already, or the caller gets none */
    bool show_holders;
    /* the ledger was not reached in time: nothing was counted, the rest says nothing */
    bool unreachable;
    enum lg_limit unreached; /* then: the limit whose rule says so */
    bool last_try;           /* client-go gives up after this answer */
    bool target_kept;        /* a target has room, and who came before may come for it */
    int64_t waits_bytes_max; /* not 0: the review is larger than that, and cannot wait */
    struct lg_limit_state of[LG_LIMITS];
    struct lg_str node;
    size_t place;       /* from 1; 0 without one */
    int64_t estimate_s; /* until its turn */
    int retry_after_s;  /* 0 = do not say */
    bool changed; /* others should learn of the ledger's change soon: a reservation, a new ticket */
};

/* Decides and remembers. The ledger has been tidied (lg_ledger_tidy) for now_ms. */
void lg_limits_decide(const struct lg_ask *ask, const struct lg_slots *slots,
                      struct lg_ledger *io_ledger, struct lg_turnout *ret);

/* Whether a limit keeps it from starting, waived or not. */
bool lg_limits_are_full(const struct lg_turnout *turnout);

/* Copies the texts that it borrows from slots and ledger into the arena. */
void lg_turnout_keep(struct lg_turnout *turnout, struct lg_arena *arena);

/* Used, as the decision counts it: of the cluster, or leaving the node. O(reservations). */
size_t lg_limits_used(const struct lg_slots *slots, const struct lg_ledger *ledger);
size_t lg_limits_outbound(const struct lg_slots *slots, const struct lg_ledger *ledger,
                          struct lg_str node);
/* How many guests are on their way to a target that is not known yet. */
size_t lg_limits_unplaced(const struct lg_slots *slots, const struct lg_ledger *ledger);

/* One more holds a place, for so long (-1 = not known). */
void lg_limits_add_age(struct lg_limit_state *io, int64_t age_s, int64_t typical_s);
/* Until the place-th of those who hold places has ended. Where more than the limit do, they wait
 * for each other, and their ages tell nothing. Never less for a later place. */
int64_t lg_limits_estimate_s(const struct lg_limit_state *state, size_t place, int64_t typical_s);

#endif
