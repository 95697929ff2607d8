/* Other programs, run with a deadline. A test ends only processes that it started, by their id.
 *
 * Everything that goes wrong here fails the running cmocka test. One thread.
 */
#ifndef LG_TESTS_SUPPORT_PROCESS_H
#define LG_TESTS_SUPPORT_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "rules/core/str.h"

enum { LG_PROCESS_ARGS_MAX = 64 };

int64_t lg_test_now_ms(void);
void lg_test_sleep_ms(int64_t ms);

struct lg_process_result {
    int status; /* exit status, or 128 + signal */
    struct lg_buf out, err;
    int64_t took_ms;
};
void lg_process_result_done(struct lg_process_result *result);

/* Runs to the end: `input` on standard input, both outputs collected. Killed, and the test failed,
 * after `deadline_ms`. */
void lg_process_run(const char *const *argv, struct lg_str input, int64_t deadline_ms,
                    struct lg_process_result *ret);

/* A program that runs beside the test. */
struct lg_process {
    pid_t pid;         /* 0 = none */
    int input, output; /* our ends of its standard input and output, -1 = none */
};

/* `err_path`: where its standard error goes, NULL = /dev/null. `pipes`: standard input and output
 * are ours. */
void lg_process_start(const char *const *argv, const char *err_path, bool pipes,
                      struct lg_process *ret);

/* Waits for its end; -1 when it still runs then. */
int lg_process_wait(struct lg_process *process, int64_t deadline_ms);

/* For cleanup: SIGKILL where it still runs. Closes the pipes. */
void lg_process_kill(struct lg_process *process);

/* Reads standard output until it contains `text` or the deadline; true when it came. */
bool lg_process_expect(struct lg_process *process, const char *text, int64_t deadline_ms,
                       struct lg_buf *io_seen);

#endif
