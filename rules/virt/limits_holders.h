/* Who holds the places of a limit, and how long it takes until they are free. Private to
 * limits*.c, which count them all in the same way.
 *
 * Pure, any thread. O(reservations), and the first LG_HOLDERS_LOOKED_AT_MAX slots.
 */
#ifndef LG_RULES_VIRT_LIMITS_HOLDERS_H
#define LG_RULES_VIRT_LIMITS_HOLDERS_H

#include "rules/virt/limits.h"

/* A reservation whose guest has a slot is the same place. */
bool lg_limits_stands_alone(const struct lg_slots *slots, const struct lg_reservation *reservation);

/* Of each limit those that hold its places, borrowed from slots and ledger. */
void lg_limits_find_holders(const struct lg_ask *ask, const struct lg_slots *slots,
                            const struct lg_ledger *ledger, struct lg_turnout *io);

/* The place and the time until its turn, of the limits that are full: the latest of them. The
 * holders have been found. */
void lg_limits_estimate(const struct lg_ask *ask, struct lg_turnout *io);

#endif
