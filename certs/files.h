/* The certificate directory: which files it has, and how they are read.
 *
 * tls.crt, tls.key and ca.crt are the keys of a Kubernetes TLS secret; ca.key is only where
 * `livegate certs issue` keeps the authority. A secret volume swaps all files at once by pointing
 * the link `..data` elsewhere: the files are read through the directory that `..data` names at the
 * time, so that a pair is never mixed of old and new. Owned by the caller, any thread (one object
 * belongs to one thread).
 */
#ifndef LG_CERTS_FILES_H
#define LG_CERTS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

#define LG_CERTS_CHAIN  "tls.crt"
#define LG_CERTS_KEY    "tls.key"
#define LG_CERTS_CA     "ca.crt"
#define LG_CERTS_CA_KEY "ca.key"

enum {
    LG_CERTS_CHAIN_BYTES_MAX = 64 * 1024,
    LG_CERTS_KEY_BYTES_MAX = 16 * 1024,
    LG_CERTS_CA_BYTES_MAX = 256 * 1024,
};

/* One file's text; p is NULL where there is no such file, else NUL-terminated malloc'd memory. */
struct lg_cert_files {
    struct lg_str chain, key, ca, ca_key;
};

/* Opens the directory for reading. LG_E_NOTFOUND, LG_E_DENIED, LG_E_IO with the path in
 * err->where. */
enum lg_err_code lg_cert_dir_open(const char *path, int *ret_fd, struct lg_err *err)
    __attribute__((nonnull(1, 2), warn_unused_result));

/* Reads what is there; a file that is missing is no error. `dir` is the directory's name for
 * messages (err->where is dir/file). The authority's key is read only when asked for: a server has
 * no use for it. LG_E_LIMIT: a file is larger than the limits above; LG_E_DENIED, LG_E_IO. */
enum lg_err_code lg_cert_files_read(int dir_fd, const char *dir, bool with_ca_key,
                                    struct lg_cert_files *ret, struct lg_err *err)
    __attribute__((nonnull(2, 4), warn_unused_result));

/* Hands the texts out of a scope-owned object, which is empty afterwards. */
struct lg_cert_files lg_cert_files_steal(struct lg_cert_files *files) __attribute__((nonnull));

/* Cleanses the keys and frees all. Zeroed = nothing to do. */
void lg_cert_files_done(struct lg_cert_files *files);

#endif
