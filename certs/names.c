#include "certs/names.h"

#include <arpa/inet.h>
#include <stdbool.h>

#include "certs/inspect.h"
#include "rules/core/mem.h"

enum { LABEL_BYTES_MAX = 63, NAME_BYTES_MAX = 253, SHOWN_BYTES_MAX = 80 };

struct lg_cert_names lg_cert_names_new(struct lg_arena *arena)
{
    return (struct lg_cert_names){lg_arena_array(arena, LG_CERT_NAMES_MAX, sizeof(char *)), 0};
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(struct lg_str label)
{
    if (label.n == 0 || label.n > LABEL_BYTES_MAX || !is_alnum(label.p[0]) ||
        !is_alnum(label.p[label.n - 1]))
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (!is_alnum(label.p[i]) && label.p[i] != '-')
            return false;
    }
    return true;
}

static bool is_dns_name(struct lg_str name)
{
    if (name.n > NAME_BYTES_MAX)
        return false;
    if (lg_str_starts(name, "*."))
        name = (struct lg_str){name.p + 2, name.n - 2};
    size_t from = 0;
    bool digits = true; /* of the last label: "10.0.0.256" is an address with a mistake, no name */
    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != '.')
            continue;
        struct lg_str label = {name.p + from, i - from};
        if (!is_label(label))
            return false;
        digits = strspn(label.p, "0123456789") >= label.n;
        from = i + 1;
    }
    return !digits;
}

/* The name as it will stand in the certificate, NUL-terminated; absent when it is none. */
static struct lg_str canonical(struct lg_arena *arena, struct lg_str name)
{
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    struct lg_str copy = lg_arena_str(arena, lg_str_cut(name, NAME_BYTES_MAX + 1));
    if (memchr(copy.p, '\0', copy.n) != NULL)
        return (struct lg_str){0};
    for (int i = 0; i < 2; i++) {
        int family = i == 0 ? AF_INET : AF_INET6;
        if (inet_pton(family, copy.p, address) == 1 &&
            inet_ntop(family, address, text, sizeof text) != NULL)
            return lg_arena_str(arena, lg_str_of(text));
    }
    char *p = (char *)copy.p; /* our own copy */
    for (size_t i = 0; i < copy.n; i++)
        p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] - 'A' + 'a' : p[i]);
    return is_dns_name(copy) ? copy : (struct lg_str){0};
}

static enum lg_err_code refuse(struct lg_str name, const char *what, struct lg_err *err)
{
    struct lg_buf shown lg_cleanup(lg_buf_done) = {0};
    lg_buf_printable(&shown, lg_str_cut(name, SHOWN_BYTES_MAX));
    return lg_err_set(err, LG_E_INVALID, "", "\"%s\" is not %s", lg_buf_view(&shown).p, what);
}

enum lg_err_code lg_cert_names_add(struct lg_cert_names *names, struct lg_arena *arena,
                                   struct lg_str name, struct lg_err *err)
{
    struct lg_str text = canonical(arena, name);
    if (text.p == NULL)
        return refuse(name, "a DNS name or an IP address", err);
    for (size_t i = 0; i < names->count; i++) {
        if (lg_str_is(text, names->at[i]))
            return LG_E_OK;
    }
    if (names->count == LG_CERT_NAMES_MAX)
        return lg_err_set(err, LG_E_LIMIT, "", "a certificate takes at most %d names",
                          LG_CERT_NAMES_MAX);
    names->at[names->count++] = text.p;
    return LG_E_OK;
}

enum lg_err_code lg_cert_names_add_service(struct lg_cert_names *names, struct lg_arena *arena,
                                           struct lg_str service, struct lg_str namespace_name,
                                           struct lg_err *err)
{
    if (!is_label(service))
        return refuse(service, "a service's name", err);
    if (!is_label(namespace_name))
        return refuse(namespace_name, "a namespace's name", err);
    static const char *const suffixes[] = {".svc", ".svc.cluster.local", ""};
    for (size_t i = 0; i < 3; i++) {
        struct lg_str name = lg_arena_printf(arena, "%.*s.%.*s%s", LG_ARG(service),
                                             LG_ARG(namespace_name), suffixes[i]);
        enum lg_err_code code = lg_cert_names_add(names, arena, name, err);
        if (code != LG_E_OK)
            return code;
    }
    return LG_E_OK;
}
