#include "webhook/cluster/path.h"

#include "rules/kube/names.h"

static void add_group(struct lg_buf *buf, const struct lg_resource *resource)
{
    if (*resource->group == '\0')
        lg_buf_printf(buf, "/api/%s", resource->version);
    else
        lg_buf_printf(buf, "/apis/%s/%s", resource->group, resource->version);
}

void lg_path_all(struct lg_buf *buf, const struct lg_resource *resource)
{
    add_group(buf, resource);
    lg_buf_printf(buf, "/%s", resource->plural);
}

static enum lg_err_code bad_namespace(struct lg_str ns, struct lg_err *err)
{
    return lg_err_set(err, LG_E_INVALID, "namespace", "\"%.*s\" cannot be a namespace's name",
                      LG_ARG(lg_str_cut(ns, 64)));
}

enum lg_err_code lg_path_in(struct lg_buf *buf, const struct lg_resource *resource,
                            struct lg_str ns, struct lg_err *err)
{
    if (!lg_name_is_label(ns))
        return bad_namespace(ns, err);
    add_group(buf, resource);
    lg_buf_printf(buf, "/namespaces/%.*s/%s", LG_ARG(ns), resource->plural);
    return LG_E_OK;
}

enum lg_err_code lg_path_object(struct lg_buf *buf, const struct lg_resource *resource,
                                struct lg_str ns, struct lg_str name, struct lg_err *err)
{
    if (ns.n != 0 && !lg_name_is_label(ns))
        return bad_namespace(ns, err);
    if (!lg_name_is_subdomain(name))
        return lg_err_set(err, LG_E_INVALID, "name", "\"%.*s\" cannot be an object's name",
                          LG_ARG(name));
    add_group(buf, resource);
    if (ns.n != 0)
        lg_buf_printf(buf, "/namespaces/%.*s", LG_ARG(ns));
    lg_buf_printf(buf, "/%s/%.*s", resource->plural, LG_ARG(name));
    return LG_E_OK;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void lg_path_query(struct lg_buf *buf, const char *key, struct lg_str value)
{
    bool first = buf->n == 0 || memchr(buf->p, '?', buf->n) == NULL;
    lg_buf_printf(buf, "%c%s=", first ? '?' : '&', key);
    for (size_t i = 0; i < value.n; i++) {
        if (is_unreserved(value.p[i]))
            lg_buf_putc(buf, value.p[i]);
        else
            lg_buf_printf(buf, "%%%02X", (unsigned char)value.p[i]);
    }
}

bool lg_path_is_plain(struct lg_str path)
{
    if (!lg_str_starts(path, "/"))
        return false;
    const char *question = memchr(path.p, '?', path.n);
    size_t n = question != NULL ? (size_t)(question - path.p) : path.n;
    if (memmem(path.p, n, "/.", 2) != NULL || memmem(path.p, n, "//", 2) != NULL)
        return false;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] > '~' || path.p[i] == '#' || path.p[i] == '\\')
            return false;
    return true;
}
