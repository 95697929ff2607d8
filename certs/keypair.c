#include "certs/keypair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/check.h"

void lg_keypair_free(struct lg_keypair *take_pair)
{
    if (take_pair == NULL)
        return;
    struct lg_cert_files files = {take_pair->chain_pem, take_pair->key_pem, take_pair->ca_pem, {0}};
    lg_cert_files_done(&files);
    free(take_pair);
}

static enum lg_err_code first_fatal(const struct lg_cert_problems *problems, const char *dir,
                                    struct lg_err *err)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct lg_cert_problem *problem = &problems->at[i];
        if (problem->fatal)
            return lg_err_set(err, problem->kind == LG_CERT_MISSING ? LG_E_NOTFOUND : LG_E_TLS, dir,
                              "%s", problem->text);
    }
    return LG_E_OK;
}

enum lg_err_code lg_keypair_load_at(int dir_fd, const char *dir, int64_t now_unix_s,
                                    struct lg_keypair **ret, struct lg_err *err)
{
    LG_SSL_SCOPE;
    struct lg_cert_files files lg_cleanup(lg_cert_files_done) = {0};
    enum lg_err_code code = lg_cert_files_read(dir_fd, dir, false, &files, err);
    if (code != LG_E_OK)
        return code;
    struct lg_cert_set set lg_cleanup(lg_cert_set_done) = {0};
    struct lg_cert_problems problems;
    lg_cert_check(&files, now_unix_s, &set, &problems);
    code = first_fatal(&problems, dir, err);
    if (code != LG_E_OK)
        return code;
    struct lg_keypair *pair = lg_calloc(1, sizeof *pair);
    const X509 *leaf = sk_X509_value(set.chain, 0);
    lg_cert_dates(leaf, &pair->not_before_unix_s, &pair->not_after_unix_s);
    lg_cert_sha256(leaf, pair->sha256);
    pair->issuers_not_after_unix_s = set.issuers_not_after_unix_s;
    if (problems.count > 0)
        (void)snprintf(pair->trust_problem, sizeof pair->trust_problem, "%s", problems.at[0].text);
    struct lg_cert_files texts = lg_cert_files_steal(&files);
    pair->chain_pem = texts.chain;
    pair->key_pem = texts.key;
    pair->ca_pem = texts.ca;
    *ret = pair;
    return LG_E_OK;
}

enum lg_err_code lg_keypair_load(const char *dir, int64_t now_unix_s, struct lg_keypair **ret,
                                 struct lg_err *err)
{
    int fd = -1;
    enum lg_err_code code = lg_cert_dir_open(dir, &fd, err);
    if (code != LG_E_OK)
        return code;
    code = lg_keypair_load_at(fd, dir, now_unix_s, ret, err);
    (void)close(fd);
    return code;
}
