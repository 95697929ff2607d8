/* Resource quantities ("64Mi", "1.5", "100m", "1e3") as exact integers. Pure, any thread.
 *
 * Accepts and refuses what apimachinery's resource.ParseQuantity does, its oddities included ("-",
 * ".", "Ki" are zero, "Ei" is none; an exponent is taken modulo 2^32). No floating point.
 * O(length), no allocation.
 */
#ifndef LG_RULES_KUBE_QUANTITY_H
#define LG_RULES_KUBE_QUANTITY_H

#include <stdint.h>

#include "rules/core/json.h"

/* Both are rounded away from zero and saturate at the limits of 64 bits. */
struct lg_quantity {
    int64_t value; /* whole units */
    int64_t milli; /* thousandths */
};

/* LG_E_INVALID: no quantity. */
enum lg_err_code lg_quantity_parse(struct lg_str text, struct lg_quantity *ret)
    __attribute__((warn_unused_result));

/* Of a string or a plain JSON number; LG_E_INVALID for anything else. */
enum lg_err_code lg_quantity_read(struct lg_val v, struct lg_quantity *ret)
    __attribute__((warn_unused_result));

#endif
