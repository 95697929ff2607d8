#include "webhook/cluster/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rules/core/file.h"
#include "rules/core/mem.h"

static void forget(struct lg_secret *secret)
{
    if (secret->text.p != NULL)
        explicit_bzero((char *)secret->text.p, secret->text.n);
    free((char *)secret->text.p);
    secret->text = (struct lg_str){0};
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is ours from now on */
void lg_secret_set(struct lg_secret *secret, char *take_text, size_t n)
{
    forget(secret);
    secret->text = (struct lg_str){take_text, n};
}

static enum lg_err_code stamp_of(const char *path, int64_t ret[4], struct lg_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return lg_err_set_errno(err, errno, path, "cannot be read");
    ret[0] = (int64_t)st.st_ino;
    ret[1] = (int64_t)st.st_size;
    ret[2] = (int64_t)st.st_mtim.tv_sec;
    ret[3] = (int64_t)st.st_mtim.tv_nsec;
    return LG_E_OK;
}

enum lg_err_code lg_secret_refresh(struct lg_secret *secret, bool force, lg_secret_check_fn *check,
                                   bool *ret_changed, struct lg_err *err)
{
    *ret_changed = false;
    if (secret->path == NULL)
        return LG_E_OK;
    int64_t stamp[4];
    enum lg_err_code code = stamp_of(secret->path, stamp, err);
    if (code != LG_E_OK)
        return code;
    if (!force && memcmp(stamp, secret->stamp, sizeof stamp) == 0)
        return LG_E_OK;
    char *text = NULL;
    size_t n = 0;
    code = lg_file_read(secret->path, LG_SECRET_BYTES_MAX, &text, &n, err);
    if (code != LG_E_OK)
        return code;
    struct lg_secret fresh = {.text = {text, n}};
    if (check != NULL)
        code = check(fresh.text, secret->path, err);
    if (code != LG_E_OK) {
        forget(&fresh);
        return code;
    }
    /* Stamped before it was read: what is written in between is read again the next time. */
    memcpy(secret->stamp, stamp, sizeof stamp);
    *ret_changed = !lg_str_eq(secret->text, fresh.text);
    lg_secret_set(secret, text, n);
    return LG_E_OK;
}

enum lg_err_code lg_secret_open(struct lg_secret *secret, const char *path, struct lg_err *err)
{
    bool changed;
    free(secret->path);
    secret->path = lg_memdup(path, strlen(path));
    return lg_secret_refresh(secret, true, NULL, &changed, err);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct lg_str lg_secret_trim(struct lg_str s)
{
    while (s.n != 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n != 0 && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

struct lg_str lg_secret_trimmed(const struct lg_secret *secret)
{
    return lg_secret_trim(secret->text);
}

void lg_secret_done(struct lg_secret *secret)
{
    if (secret == NULL)
        return;
    forget(secret);
    free(secret->path);
    *secret = (struct lg_secret){0};
}
