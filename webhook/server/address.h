/* Listening addresses: "ADDR:PORT" as a person writes it, and the socket that listens there.
 *
 * ADDR is an IPv4 address, an IPv6 address in brackets, or nothing (every address, both families
 * where the machine has both); PORT is 0 (any free one) to 65535. Host names are not looked up:
 * what is listened on must not depend on DNS. Any thread.
 */
#ifndef LG_WEBHOOK_SERVER_ADDRESS_H
#define LG_WEBHOOK_SERVER_ADDRESS_H

#include <sys/socket.h>

#include "rules/core/err.h"

enum { LG_ADDRESS_TEXT_BYTES = 64 };

struct lg_address {
    struct sockaddr_storage at;
    socklen_t n;
    bool everywhere; /* no ADDR was given */
};

/* LG_E_INVALID: not of that form; err->where is `option`. */
enum lg_err_code lg_address_parse(const char *text, const char *option, struct lg_address *ret,
                                  struct lg_err *err) __attribute__((warn_unused_result));

/* Binds and listens. LG_E_IO, LG_E_DENIED...: err says what holds the address and what to do;
 * err->where is the address. *ret_fd is given, non-blocking, close-on-exec. */
enum lg_err_code lg_address_listen(const struct lg_address *address, const char *option,
                                   int *ret_fd, struct lg_err *err)
    __attribute__((warn_unused_result));

/* Writes "127.0.0.1:8443" or "[::1]:8443" for what `fd` is bound to; returns `buf`. */
const char *lg_address_of(int fd, char buf[LG_ADDRESS_TEXT_BYTES]);

#endif
