#include "webhook/server/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rules/core/mem.h"
#include "webhook/runtime/clock.h"

enum { DISCARD_BYTES = 1024 * 1024 };

struct lingering {
    int fd;
    int64_t until_ms;
};

struct lg_linger {
    pthread_mutex_t lock;
    struct lingering items[LG_LINGER_MAX];
    size_t n;
    int wake_fd; /* an item was added */
};

enum lg_err_code lg_linger_new(struct lg_linger **ret, struct lg_err *err)
{
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0)
        return lg_err_set_errno(err, errno, "eventfd", "cannot be opened");
    struct lg_linger *linger = lg_calloc(1, sizeof *linger);
    pthread_mutex_init(&linger->lock, NULL);
    linger->wake_fd = wake_fd;
    *ret = linger;
    return LG_E_OK;
}

void lg_linger_free(struct lg_linger *linger)
{
    if (linger == NULL)
        return;
    for (size_t i = 0; i < linger->n; i++)
        close(linger->items[i].fd);
    close(linger->wake_fd);
    pthread_mutex_destroy(&linger->lock);
    free(linger);
}

void lg_linger_add(struct lg_linger *linger, int fd, int64_t now_ms)
{
    const uint64_t one = 1;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return;
    pthread_mutex_lock(&linger->lock);
    bool room = linger->n < LG_LINGER_MAX;
    if (room)
        linger->items[linger->n++] =
            (struct lingering){.fd = own, .until_ms = now_ms + LG_LINGER_MS_MAX};
    pthread_mutex_unlock(&linger->lock);
    if (!room)
        close(own);
    else if (write(linger->wake_fd, &one, sizeof one) < 0)
        return; /* the counter is full: the poller is awake already */
}

/* Throws away what is there; false: the client is done, or broken. */
static bool discard(int fd)
{
    /* MSG_TRUNC: TCP drops the bytes without copying them. */
    ssize_t n = recv(fd, NULL, DISCARD_BYTES, MSG_TRUNC | MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static size_t snapshot(struct lg_linger *linger, struct pollfd *fds)
{
    pthread_mutex_lock(&linger->lock);
    size_t n = linger->n;
    for (size_t i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = linger->items[i].fd, .events = POLLIN};
    pthread_mutex_unlock(&linger->lock);
    return n;
}

/* Only this thread removes, and others append: the first `n` items are those of the snapshot. */
static void settle(struct lg_linger *linger, const struct pollfd *fds, size_t n, int64_t now_ms)
{
    pthread_mutex_lock(&linger->lock);
    for (size_t i = n; i-- > 0;) {
        bool keep = fds[i].revents == 0 || discard(fds[i].fd);
        if (keep && now_ms < linger->items[i].until_ms)
            continue;
        close(linger->items[i].fd);
        linger->items[i] = linger->items[--linger->n];
    }
    pthread_mutex_unlock(&linger->lock);
}

bool lg_linger_poll(struct lg_linger *linger, int other_fd, int64_t timeout_ms)
{
    enum { OTHER = LG_LINGER_MAX, WAKE, COUNT };
    struct pollfd fds[COUNT];
    int64_t end_ms = lg_clock_mono_ms() + timeout_ms;
    uint64_t woken = 0;

    for (int64_t now_ms = end_ms - timeout_ms; now_ms < end_ms; now_ms = lg_clock_mono_ms()) {
        size_t n = snapshot(linger, fds);
        for (size_t i = n; i < LG_LINGER_MAX; i++)
            fds[i] = (struct pollfd){.fd = -1};
        fds[OTHER] = (struct pollfd){.fd = other_fd, .events = POLLIN};
        fds[WAKE] = (struct pollfd){.fd = linger->wake_fd, .events = POLLIN};
        if (poll(fds, COUNT, (int)(end_ms - now_ms)) < 0)
            return false;
        if (fds[WAKE].revents != 0 && read(linger->wake_fd, &woken, sizeof woken) < 0)
            woken = 0;
        settle(linger, fds, n, lg_clock_mono_ms());
        if (fds[OTHER].revents != 0)
            return true;
    }
    return false;
}
