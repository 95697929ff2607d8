/* What Kubernetes accepts as a name, a label's key and a label's value. Pure, any thread.
 *
 * Source: apimachinery util/validation (RFC 1123 subdomain and label, qualified name). O(length).
 */
#ifndef LG_RULES_KUBE_NAMES_H
#define LG_RULES_KUBE_NAMES_H

#include "rules/core/str.h"

enum { LG_NAME_SUBDOMAIN_BYTES_MAX = 253, LG_NAME_LABEL_BYTES_MAX = 63 };

/* "orders-db.v2": labels joined by points, 253 bytes in all (most objects' names). */
bool lg_name_is_subdomain(struct lg_str s);

/* "web-servers": lower case letters, digits, '-' inside, 63 bytes (namespaces, services). */
bool lg_name_is_label(struct lg_str s);

/* A label's or annotation's key: optional subdomain and '/', then 1 to 63 letters, digits, and '-'
 * '_' '.' inside. */
bool lg_name_is_label_key(struct lg_str s);

/* A label's value: empty, or like a key's name. */
bool lg_name_is_label_value(struct lg_str s);

#endif
