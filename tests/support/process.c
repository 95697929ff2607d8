#include "tests/support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

int64_t lg_test_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void lg_test_sleep_ms(int64_t ms)
{
    const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

void lg_process_result_done(struct lg_process_result *result)
{
    lg_buf_done(&result->out);
    lg_buf_done(&result->err);
}

static void close_fd(int *io_fd)
{
    if (*io_fd >= 0)
        close(*io_fd);
    *io_fd = -1;
}

/* In the child: 0, 1 and 2 become these, and the program runs. */
static void become(const char *const *argv, const int fds[3])
{
    sigset_t none;
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            _exit(126);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static pid_t spawn(const char *const *argv, const int fds[3])
{
    pid_t pid = fork();
    if (pid == 0)
        become(argv, fds);
    assert_true(pid > 0);
    return pid;
}

static int status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static int wait_for(pid_t pid, int64_t deadline_ms)
{
    int64_t end_ms = lg_test_now_ms() + deadline_ms;
    for (;;) {
        int wait_status = 0;
        pid_t done = waitpid(pid, &wait_status, WNOHANG);
        if (done == pid)
            return status_of(wait_status);
        if (done < 0 || lg_test_now_ms() >= end_ms)
            return -1;
        lg_test_sleep_ms(2);
    }
}

/* Reads what is there; false at the end of the stream. */
static bool take(int fd, struct lg_buf *buf)
{
    char bytes[16384];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0)
        lg_buf_add(buf, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Writes what fits; false when nothing is left, or nobody reads. */
static bool give(int fd, struct lg_str *io_rest)
{
    ssize_t n = io_rest->n > 0 ? write(fd, io_rest->p, io_rest->n) : 0;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    io_rest->p += n;
    io_rest->n -= (size_t)n;
    return io_rest->n > 0;
}

static bool pump(int *io_in, int *io_out, int *io_err, struct lg_str *io_input,
                 struct lg_process_result *result, int64_t wait_ms)
{
    struct pollfd fds[3] = {{*io_in, POLLOUT, 0}, {*io_out, POLLIN, 0}, {*io_err, POLLIN, 0}};
    if (poll(fds, 3, (int)wait_ms) < 0)
        return true;
    if (*io_in >= 0 && fds[0].revents != 0 && !give(*io_in, io_input))
        close_fd(io_in);
    if (*io_out >= 0 && fds[1].revents != 0 && !take(*io_out, &result->out))
        close_fd(io_out);
    if (*io_err >= 0 && fds[2].revents != 0 && !take(*io_err, &result->err))
        close_fd(io_err);
    return *io_out >= 0 || *io_err >= 0;
}

void lg_process_run(const char *const *argv, struct lg_str input, int64_t deadline_ms,
                    struct lg_process_result *ret)
{
    int in[2], out[2], err[2];
    int64_t start_ms = lg_test_now_ms(), end_ms = start_ms + deadline_ms;

    signal(SIGPIPE, SIG_IGN);
    *ret = (struct lg_process_result){0};
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    pid_t pid = spawn(argv, (int[]){in[0], out[1], err[1]});
    close(in[0]);
    close(out[1]);
    close(err[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    if (input.n == 0)
        close_fd(&in[1]);
    while (lg_test_now_ms() < end_ms &&
           pump(&in[1], &out[0], &err[0], &input, ret, end_ms - lg_test_now_ms()))
        continue;
    close_fd(&in[1]);
    close_fd(&out[0]);
    close_fd(&err[0]);
    int64_t left_ms = end_ms - lg_test_now_ms();
    ret->status = wait_for(pid, left_ms > 0 ? left_ms : 0);
    ret->took_ms = lg_test_now_ms() - start_ms;
    if (ret->status == -1) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        fail_msg("%s did not end within %lld ms; stderr: %s", argv[0], (long long)deadline_ms,
                 lg_buf_view(&ret->err).p);
    }
}

void lg_process_start(const char *const *argv, const char *err_path, bool pipes,
                      struct lg_process *ret)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int err =
        err_path == NULL ? null : open(err_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(null >= 0 && err >= 0);
    if (pipes) {
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    }
    pid_t pid = spawn(argv, (int[]){pipes ? in[0] : null, pipes ? out[1] : null, err});
    *ret = (struct lg_process){.pid = pid, .input = in[1], .output = out[0]};
    close_fd(&in[0]);
    close_fd(&out[1]);
    if (err != null)
        close(err);
    close(null);
}

int lg_process_wait(struct lg_process *process, int64_t deadline_ms)
{
    int status = wait_for(process->pid, deadline_ms);
    if (status != -1)
        process->pid = 0;
    return status;
}

void lg_process_kill(struct lg_process *process)
{
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
        close_fd(&process->input);
        close_fd(&process->output);
    }
    *process = (struct lg_process){.input = -1, .output = -1};
}

bool lg_process_expect(struct lg_process *process, const char *text, int64_t deadline_ms,
                       struct lg_buf *io_seen)
{
    int64_t end_ms = lg_test_now_ms() + deadline_ms;
    for (;;) {
        struct pollfd ready = {process->output, POLLIN, 0};
        int64_t left_ms = end_ms - lg_test_now_ms();
        struct lg_str seen = lg_buf_view(io_seen);
        if (memmem(seen.p, seen.n, text, strlen(text)) != NULL)
            return true;
        if (left_ms <= 0)
            return false;
        if (poll(&ready, 1, (int)left_ms) == 1 && !take(process->output, io_seen))
            return false;
    }
}
