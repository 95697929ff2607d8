/* Paths of the API server, built from names that were checked first: nobody's name can lead a
 * request elsewhere. Pure, any thread.
 */
#ifndef LG_WEBHOOK_CLUSTER_PATH_H
#define LG_WEBHOOK_CLUSTER_PATH_H

#include <stdbool.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

/* A resource, as a URL names it: {"kubevirt.io", "v1", "virtualmachines"}; group "" = core. */
struct lg_resource {
    const char *group, *version, *plural;
};

/* Appends "/api/v1/nodes" or "/apis/kubevirt.io/v1/virtualmachines": all of them, in all
 * namespaces. */
void lg_path_all(struct lg_buf *buf, const struct lg_resource *resource) __attribute__((nonnull));

/* Appends the path of all of them in one namespace. LG_E_INVALID: a name that no namespace can
 * have; nothing is appended. */
enum lg_err_code lg_path_in(struct lg_buf *buf, const struct lg_resource *resource,
                            struct lg_str ns, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Appends the path of one object; ns "" where the resource has none. LG_E_INVALID: a name that no
 * object can have; nothing is appended then. */
enum lg_err_code lg_path_object(struct lg_buf *buf, const struct lg_resource *resource,
                                struct lg_str ns, struct lg_str name, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Appends "?key=value" or "&key=value" (the first one has the question mark); the value is
 * escaped. */
void lg_path_query(struct lg_buf *buf, const char *key, struct lg_str value)
    __attribute__((nonnull));

/* True when the text is a path as the functions above make it: absolute, printable, no "..", no
 * "//". */
bool lg_path_is_plain(struct lg_str path);

#endif
