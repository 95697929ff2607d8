/* Numbers that replicas do not share, so that they do not move in step. Nothing secret may rest on
 * them. Any thread, each with a state of its own. */
#ifndef LG_WEBHOOK_RUNTIME_RANDOM_H
#define LG_WEBHOOK_RUNTIME_RANDOM_H

#include <stdint.h>

/* Other in each process. */
uint64_t lg_random_seed(void);

/* The next one; a state begins as a seed. Source: splitmix64. */
uint64_t lg_random_next(uint64_t *io_state);

#endif
