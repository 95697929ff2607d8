/* How long reviews wait for the inventory: what shows that they do not.
 *
 * livegate_inventory_wait_seconds holds what it took to enter the inventory, or to leave it. One
 * step of a kind a millisecond and thread is measured, for that costs a system call. A thread that
 * the kernel takes off its core within a step looks as if it waited: such a step is counted by
 * itself, in livegate_inventory_wait_unclear_total. Who sleeps for a lock leaves its core of its
 * own will, and counts as one that waited. Any thread.
 */
#ifndef LG_WEBHOOK_CLUSTER_WAIT_H
#define LG_WEBHOOK_CLUSTER_WAIT_H

#include <stdint.h>

enum lg_wait_step { LG_WAIT_ENTER, LG_WAIT_LEAVE, LG_WAIT_STEPS };

enum { LG_WAIT_APART_NS = 1000 * 1000, LG_WAIT_CLEAR_NS = 10 * 1000 };

struct lg_wait {
    int64_t start_ns; /* 0: this one is not measured */
    long preemptions;
};

void lg_wait_register_metrics(void);

struct lg_wait lg_wait_begin(enum lg_wait_step step);
void lg_wait_end(const struct lg_wait *wait) __attribute__((nonnull));

#endif
