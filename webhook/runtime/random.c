#include "webhook/runtime/random.h"

#include <sys/random.h>

#include "webhook/runtime/clock.h"

uint64_t lg_random_seed(void)
{
    uint64_t seed = 0;
    /* Without the system's randomness the clock has to do. */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)lg_clock_mono_ns();
    return seed;
}

uint64_t lg_random_next(uint64_t *io_state)
{
    uint64_t z = *io_state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
