/* A text that authenticates: given inline, or kept in a file that may be replaced while we run.
 *
 * Service account tokens and client certificates are renewed on disk: whoever uses a secret
 * refreshes it before each request (one stat) and, when the API server says 401, whatever the
 * file's time says. A file that cannot be read now leaves the last good text in place. Owned by the
 * caller, one thread.
 *
 * States: zeroed (none) -> inline or file -> zeroed by _done, which cleanses the text.
 */
#ifndef LG_WEBHOOK_CLUSTER_SECRET_H
#define LG_WEBHOOK_CLUSTER_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

enum { LG_SECRET_BYTES_MAX = 256 * 1024 };

struct lg_secret {
    struct lg_str text; /* malloc'd and NUL-terminated; absent: none */
    char *path;         /* NULL: given inline */
    int64_t stamp[4];   /* private: which file it was read from, and when that was written */
};

/* Takes over malloc'd text of `n` bytes. */
void lg_secret_set(struct lg_secret *secret, char *take_text, size_t n) __attribute__((nonnull));

/* What a text must be to be taken; `where` is its file. Codes are the check's. */
typedef enum lg_err_code lg_secret_check_fn(struct lg_str text, const char *where,
                                            struct lg_err *err);

/* Reads the file now and remembers it for later. Codes as lg_file_read. */
enum lg_err_code lg_secret_open(struct lg_secret *secret, const char *path, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Reads the file again where it is another one, or always with `force`; *ret_changed: the text is
 * another one now. A text that fails the check (NULL: none) leaves the old one in place, and is
 * read again the next time. Nothing happens to inline texts. */
enum lg_err_code lg_secret_refresh(struct lg_secret *secret, bool force, lg_secret_check_fn *check,
                                   bool *ret_changed, struct lg_err *err)
    __attribute__((nonnull(1, 4), warn_unused_result));

/* A text, or the secret's, without white space at both ends (tokens end in a newline). */
struct lg_str lg_secret_trim(struct lg_str text);
struct lg_str lg_secret_trimmed(const struct lg_secret *secret) __attribute__((nonnull));

void lg_secret_done(struct lg_secret *secret);

#endif
