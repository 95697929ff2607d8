/* What a certificate directory holds, and everything that is wrong with it. Any thread.
 *
 * For people (`livegate certs show`) and for deciding whether to renew; a server takes
 * certs/keypair.h, which sees the same problems and stops at the first that forbids serving. Texts
 * are printable: what a foreign certificate says is escaped. Key material is never part of any
 * text.
 */
#ifndef LG_CERTS_INSPECT_H
#define LG_CERTS_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/files.h"
#include "rules/core/arena.h"

enum {
    LG_CERT_PROBLEMS_MAX = 8,
    LG_CERT_PROBLEM_BYTES = 256,
    LG_CERT_NAMES_MAX = 64,
    LG_CERT_SHA256_BYTES = 65,
    LG_CERT_TIME_BYTES = 32,
};

enum lg_cert_problem_kind {
    LG_CERT_MISSING,    /* a file is not there */
    LG_CERT_UNREADABLE, /* a file is there and is not PEM that we can read */
    LG_CERT_MISMATCH,   /* the key belongs to another certificate */
    LG_CERT_EXPIRED,
    LG_CERT_NOT_YET,
    LG_CERT_UNTRUSTED, /* the chain does not verify against ca.crt, as a server's */
    LG_CERT_NAMELESS,  /* no subject alternative names: API servers read nothing else */
};

struct lg_cert_problem {
    enum lg_cert_problem_kind kind;
    bool fatal; /* nothing can be served with it; the others are the callers' trouble */
    char text[LG_CERT_PROBLEM_BYTES];
};

/* In the order of their weight; fatal ones first. */
struct lg_cert_problems {
    struct lg_cert_problem at[LG_CERT_PROBLEMS_MAX];
    size_t count;
};

struct lg_cert_info {
    const char *file;                           /* LG_CERTS_CHAIN or LG_CERTS_CA */
    unsigned position;                          /* in the file, from 1 */
    struct lg_str subject, issuer, serial, key; /* "CN=...", "CN=...", hexadecimal, "EC 256" */
    struct lg_str *names;                       /* DNS names and addresses */
    size_t name_count;
    int64_t not_before_unix_s, not_after_unix_s;
    bool authority;                    /* basicConstraints CA:TRUE */
    char sha256[LG_CERT_SHA256_BYTES]; /* of the certificate, lower-case hexadecimal */
};

struct lg_cert_report {
    struct lg_cert_info *certs; /* of tls.crt, then of ca.crt; what cannot be read is left out */
    size_t count;
    /* the earliest end above the serving certificate; 0 unless it verifies */
    int64_t issuers_not_after_unix_s;
    struct lg_cert_problems problems;
};

/* Looks at the texts; `now_unix_s` decides what has expired. Everything is borrowed from the
 * arena. */
void lg_cert_inspect(const struct lg_cert_files *files, int64_t now_unix_s, struct lg_arena *arena,
                     struct lg_cert_report *ret) __attribute__((nonnull));

/* "2026-11-23T08:47:00Z"; returns `buf`. */
const char *lg_cert_time(int64_t unix_s, char buf[LG_CERT_TIME_BYTES]);

#endif
