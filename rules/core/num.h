/* Strict decimal integers. Pure functions, any thread. */
#ifndef LG_RULES_CORE_NUM_H
#define LG_RULES_CORE_NUM_H

#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

/* JSON's integers: "-"? then "0" or a digit 1 to 9 and digits. LG_E_INVALID: anything else (a
 * fraction, an exponent, "+1", "01"); LG_E_LIMIT: does not fit in 64 bits. */
enum lg_err_code lg_num_int64(struct lg_str text, int64_t *ret) __attribute__((warn_unused_result));

/* Go's strconv.ParseInt(text, 10, 64), which the scheduler uses for Gt and Lt: a sign + or -,
 * leading zeros allowed. Codes as above. */
enum lg_err_code lg_num_go_int64(struct lg_str text, int64_t *ret)
    __attribute__((warn_unused_result));

#endif
