/* Heap helpers: allocation that cannot fail, scope-owned cleanup, handing out.
 *
 * Running out of memory ends the process (abort, one line on stderr): every size that a request
 * controls is bounded before it is allocated, so that a failing allocation means that the machine
 * is out of memory, and a restarted process is better than a gate in an unknown state. Any thread.
 */
#ifndef LG_RULES_CORE_MEM_H
#define LG_RULES_CORE_MEM_H

#include <stddef.h>

/* `struct thing *t lg_cleanup(thing_cleanup) = NULL;` calls thing_cleanup(&t) at the end of the
 * scope. */
#define lg_cleanup(fn) __attribute__((cleanup(fn)))

/* Hands the pointer out of a scope-owned variable and leaves NULL behind. */
#define lg_steal(p)                                                                                \
    __extension__({                                                                                \
        __typeof__(p) lg_stolen = (p);                                                             \
        (p) = NULL;                                                                                \
        lg_stolen;                                                                                 \
    })

/* Defines `static void fn_cleanup(T **p)` that calls fn(*p), for use with lg_cleanup. */
#define LG_DEFINE_CLEANUP(T, fn)                                                                   \
    static inline __attribute__((unused)) void fn##_cleanup(                                       \
        T **p) /* NOLINT(bugprone-macro-parentheses): T is a type */                               \
    {                                                                                              \
        fn(*p);                                                                                    \
    }

/* Zeroed memory, given: free with free(). Never NULL; `n` x `size` must not overflow (checked). */
void *lg_calloc(size_t n, size_t size)
    __attribute__((warn_unused_result, returns_nonnull, malloc, alloc_size(1, 2)));

/* realloc to `n` x `size` bytes that never fails; new bytes are not zeroed. */
void *lg_realloc(void *take_p, size_t n, size_t size)
    __attribute__((warn_unused_result, returns_nonnull));

/* A NUL-terminated copy of `n` bytes, given. */
char *lg_memdup(const char *p, size_t n) __attribute__((warn_unused_result, returns_nonnull));

/* `char *s lg_cleanup(lg_free_cleanup) = NULL;` */
void lg_free_cleanup(void *pp);

/* Ends the process after one line on stderr: out of memory. */
_Noreturn void lg_oom(size_t bytes);

#endif
