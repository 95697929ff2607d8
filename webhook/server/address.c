#include "webhook/server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rules/core/num.h"

enum { BACKLOG = 1024 };

static enum lg_err_code not_an_address(const char *text, const char *option, struct lg_err *err)
{
    return lg_err_set(err, LG_E_INVALID, option,
                      "\"%.80s\" is not ADDR:PORT; write 127.0.0.1:8443, [::1]:8443, or :8443 for "
                      "every address",
                      text);
}

static bool parse_port(const char *text, in_port_t *ret)
{
    int64_t port = 0;
    if (lg_num_int64(lg_str_of(text), &port) != LG_E_OK || port < 0 || port > 65535)
        return false;
    *ret = htons((in_port_t)port);
    return true;
}

static void set_ipv6(struct lg_address *address, const struct in6_addr *ip, in_port_t port)
{
    struct sockaddr_in6 *at = (struct sockaddr_in6 *)&address->at;
    at->sin6_family = AF_INET6;
    at->sin6_addr = *ip;
    at->sin6_port = port;
    address->n = sizeof *at;
}

static void set_ipv4(struct lg_address *address, const struct in_addr *ip, in_port_t port)
{
    struct sockaddr_in *at = (struct sockaddr_in *)&address->at;
    at->sin_family = AF_INET;
    at->sin_addr = *ip;
    at->sin_port = port;
    address->n = sizeof *at;
}

enum lg_err_code lg_address_parse(const char *text, const char *option, struct lg_address *ret,
                                  struct lg_err *err)
{
    struct lg_address address = {0};
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    in_port_t port = 0;
    struct in6_addr ipv6;
    struct in_addr ipv4;

    if (colon == NULL || !parse_port(colon + 1, &port))
        return not_an_address(text, option, err);
    size_t n = (size_t)(colon - text);
    bool bracketed = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    if (bracketed) {
        text++;
        n -= 2;
    }
    if (n >= sizeof host)
        return not_an_address(text, option, err);
    memcpy(host, text, n);
    if (n == 0 && !bracketed) {
        address.everywhere = true;
        set_ipv6(&address, &in6addr_any, port);
    } else if (bracketed && inet_pton(AF_INET6, host, &ipv6) == 1) {
        set_ipv6(&address, &ipv6, port);
    } else if (!bracketed && inet_pton(AF_INET, host, &ipv4) == 1) {
        set_ipv4(&address, &ipv4, port);
    } else {
        return not_an_address(text, option, err);
    }
    *ret = address;
    return LG_E_OK;
}

static const char *format(const struct sockaddr_storage *at, char buf[LG_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (at->ss_family == AF_INET6) {
        struct sockaddr_in6 v6 = {0};
        memcpy(&v6, at, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
        snprintf(buf, LG_ADDRESS_TEXT_BYTES, "[%s]:%u", host, ntohs(v6.sin6_port));
    } else {
        struct sockaddr_in v4 = {0};
        memcpy(&v4, at, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
        snprintf(buf, LG_ADDRESS_TEXT_BYTES, "%s:%u", host, ntohs(v4.sin_port));
    }
    return buf;
}

const char *lg_address_of(int fd, char buf[LG_ADDRESS_TEXT_BYTES])
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        at.ss_family = AF_UNSPEC;
    return format(&at, buf);
}

static enum lg_err_code refused(const struct lg_address *address, const char *option, int os_errno,
                                struct lg_err *err)
{
    char where[LG_ADDRESS_TEXT_BYTES];
    const char *advice = "see whether the machine allows it";

    if (os_errno == EADDRINUSE)
        advice = "stop the program that listens there, or choose another port";
    else if (os_errno == EACCES || os_errno == EPERM)
        advice = "ports below 1024 are reserved, choose a higher one";
    else if (os_errno == EADDRNOTAVAIL)
        advice = "this machine has no such address, choose one of its own or leave it out";
    return lg_err_set_errno(err, os_errno, format(&address->at, where),
                            "cannot listen (%s with %s)", advice, option);
}

/* Returns a listening socket, or -1 with errno. */
static int open_listening(const struct lg_address *address)
{
    const int on = 1, off = 0;
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (address->everywhere && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
        bind(fd, (const struct sockaddr *)&address->at, address->n) != 0 ||
        listen(fd, BACKLOG) != 0) {
        int os_errno = errno;
        close(fd);
        errno = os_errno;
        return -1;
    }
    return fd;
}

enum lg_err_code lg_address_listen(const struct lg_address *address, const char *option,
                                   int *ret_fd, struct lg_err *err)
{
    struct lg_address at = *address;
    int fd = open_listening(&at);
    if (fd < 0 && at.everywhere && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        /* A kernel without IPv6. */
        const struct in_addr any = {htonl(INADDR_ANY)};
        in_port_t port = ((struct sockaddr_in6 *)&at.at)->sin6_port;
        at = (struct lg_address){0};
        set_ipv4(&at, &any, port);
        fd = open_listening(&at);
    }
    if (fd < 0)
        return refused(&at, option, errno, err);
    *ret_fd = fd;
    return LG_E_OK;
}
