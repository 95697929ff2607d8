/* What the limiter remembers beside the cluster: who was let through a moment ago, and who waits.
 *
 * A reservation stands for a migration that was admitted and that a watch may not show yet: one a
 * guest, for LG_RESERVATION_MS, less where the migration is seen to end. A new admission of the
 * guest takes it over, for as long, and the first of those admissions is remembered, since KubeVirt
 * may have created that one and refused the others; a guest that is let through again and again and
 * is never seen lines up again after that time. A ticket is a caller's place: namespace, guest and
 * user. Tickets are served in the order of their tags: start-time fair queueing over namespaces, so
 * that namespaces take turns whatever they have waiting, first come first served inside one. A
 * ticket's tag never changes. Time is the tag in service; one served before others of its namespace
 * (their node is full) counts as if it had come first of them: time neither passes over them nor
 * stands still. Whom it passed by at a node takes turns with who comes for that node.
 *
 * All times are the reader's own monotonic milliseconds: what comes from another process comes as
 * an age. Plain data, one thread at a time; nothing here asks for the time or does I/O. Source:
 * Goyal, Vin and Cheng, "Start-time Fair Queuing".
 */
#ifndef LG_RULES_VIRT_LEDGER_H
#define LG_RULES_VIRT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/str.h"

enum {
    LG_RESERVATION_MS = 30 * 1000,
    LG_HELD_MS = 180 * 1000,             /* a watch that says nothing is asked anew before that */
    LG_TICKET_GRACE_MS = 5 * 1000,       /* after its due time a free place is kept for it */
    LG_TICKET_AHEAD_MS = 5 * 1000,       /* before it, too; not earlier, or places would lie idle */
    LG_TICKET_LAST_AHEAD_MS = 25 * 1000, /* the same for who is first and has few tries left */
    LG_TICKET_EARLY_MS = 1000, /* more than that before it, somebody asks who was told to wait */
    LG_TICKET_EXPIRY_MS = 10 * 1000, /* after its due time it is gone */
    LG_TICKET_SLACK_MS_MAX = 3600 * 1000,
    LG_TICKETS_NAMESPACE_MAX = 50,
    LG_TICKETS_MAX = 500,
    LG_RESERVATIONS_MAX = 1000,
    LG_TURNS_MAX = 500,
    LG_LEDGER_USER_BYTES_MAX = 128, /* a longer user name is cut and hashed */
};

struct lg_reservation {
    struct lg_str ns, guest, node;
    struct lg_str name; /* of the migration */
    struct lg_str id;   /* its uid: what makes this entry ours */
    /* Of the first admission of those that took the place over, where nobody saw it, or "". */
    struct lg_str first_name, first_id;
    struct lg_str instead_of; /* it stands for the first, not for this id; this reader's alone */
    int64_t born_ms;
    int64_t since_ms; /* of the guest's first admission of those that took the place over */
    bool seen;        /* the migration was seen in the cluster */
    /* Of this reader alone. Held: over for the others, and never seen here. */
    bool held, gone; /* gone: the API server says that there is none, or that it has ended */
    int64_t sure_ms, ask_ms; /* when it was there for certain; when to ask (again) */
    uint64_t hash;           /* of namespace and guest */
};

struct lg_ticket {
    struct lg_str ns, guest, node, user;
    uint64_t tag, seq;
    int64_t since_ms, due_ms;
    int64_t told_due_ms; /* the due time that others know of */
    uint64_t told_hash;  /* and of which id: what it was when this was read or written */
    int64_t slack_ms; /* the due time may be so much earlier: as others told it (lg_ledger_adopt) */
    struct lg_str id; /* of the ask that was answered last */
    unsigned tries;   /* answers it has had */
    bool inbound;     /* it waits for its targets: it holds back only who waits for targets */
    int64_t kept_ms;  /* since when a target had room and was kept for others; 0: it is not so */
    uint64_t hash;    /* of namespace, guest and user */
};

/* A namespace that was served, so that it does not come first again by coming again. */
struct lg_turn {
    struct lg_str ns;
    uint64_t tag;
};

/* Zeroed = empty. */
struct lg_ledger {
    struct lg_reservation *reservations; /* texts belong to the ledger */
    size_t n_reservations, size_reservations;
    struct lg_ticket *tickets; /* in the order they are served */
    size_t n_tickets, size_tickets;
    struct lg_turn *turns;
    size_t n_turns, size_turns;
    uint64_t now_tag, next_seq;
    int64_t read_ms; /* from others, last; 0: never */
};

void lg_ledger_done(struct lg_ledger *ledger);

/* The same for the same text in every process; not for hash tables. */
uint64_t lg_ledger_hash(struct lg_str a, struct lg_str b, struct lg_str c);

/* NULL: there is none. */
struct lg_reservation *lg_ledger_reservation(const struct lg_ledger *ledger, struct lg_str ns,
                                             struct lg_str guest);
/* Adds, or replaces the guest's; texts are copied. */
void lg_ledger_reserve(struct lg_ledger *ledger, const struct lg_reservation *reservation);
void lg_ledger_drop_reservation(struct lg_ledger *ledger, size_t i);

/* `user` as it stands in tickets: itself, or cut, once, with its hash behind it, in `buf`. */
struct lg_str lg_ledger_user(struct lg_str user, char buf[LG_LEDGER_USER_BYTES_MAX + 24]);

struct lg_ticket *lg_ledger_ticket(const struct lg_ledger *ledger, struct lg_str ns,
                                   struct lg_str guest, struct lg_str user);
/* The tag that a ticket of this namespace for this node (or "") would get now. */
uint64_t lg_ledger_next_tag(const struct lg_ledger *ledger, struct lg_str ns, struct lg_str node);
/* How many tickets the namespace has. */
size_t lg_ledger_tickets_of(const struct lg_ledger *ledger, struct lg_str ns);
/* Whether one more ticket with this tag has room. In a full queue it takes the last one's place, if
 * it is served before it: many namespaces of one user shut nobody else out. */
bool lg_ledger_make_room(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag);
/* Adds a ticket (texts are copied; seq is given here), in order. Borrowed until the next change. */
struct lg_ticket *lg_ledger_add_ticket(struct lg_ledger *ledger, const struct lg_ticket *ticket);
/* What changes with each ask; the texts are copied. */
void lg_ledger_set_ticket(struct lg_ticket *ticket, struct lg_str node, struct lg_str id);
/* What the ticket says now, all know. */
void lg_ledger_told_ticket(struct lg_ticket *ticket);
void lg_ledger_drop_ticket(struct lg_ledger *ledger, size_t i);
/* That tag of the namespace was served, some time, or beside the queue. */
void lg_ledger_set_turn(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag);
/* One of the namespace is served, and time goes on. */
void lg_ledger_served(struct lg_ledger *ledger, struct lg_str ns, uint64_t tag);

/* `io_ledger` is what was read of a shared ledger, `known` what this reader knew of it before: what
 * both hold keeps the age that this reader saw it reach (the text's ages are as of its writing,
 * however long ago that was), and a ticket the due time that this reader gave it and has not told
 * others. What only the text says was written at some time since `known` was read: a ticket's due
 * time has that much slack, and nobody is taken for one that comes early for it. A reservation that
 * others let go and that this reader never saw is held: its watch may be behind theirs. */
void lg_ledger_adopt(struct lg_ledger *io_ledger, const struct lg_ledger *known);

/* LG_UNSURE: not seen, and this reader asks the API server before it lets go (lg_ledger_tell):
 * until then, and for LG_HELD_MS at most, it is held. */
enum lg_seen { LG_UNSEEN, LG_UNSURE, LG_SEEN_UNFINISHED, LG_SEEN_FINAL };
/* What the cluster shows of the migration that a reservation stands for. */
typedef enum lg_seen lg_ledger_seen_fn(void *arg, const struct lg_reservation *reservation);

/* Lets go what is over: reservations that are old, or whose migration was seen to end or to go;
 * tickets nobody came back for. Forgets turns that no longer matter. True: something went that
 * others have to know of. */
bool lg_ledger_tidy(struct lg_ledger *ledger, int64_t now_ms, lg_ledger_seen_fn *seen, void *arg);

/* What the API server says of the migration of a reservation that is held: LG_UNSEEN: there is
 * none. LG_UNSURE: it did not say. The reservation may be gone meanwhile. */
void lg_ledger_tell(struct lg_ledger *ledger, const struct lg_reservation *about, enum lg_seen said,
                    int64_t now_ms);

#endif
