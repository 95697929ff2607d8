#include "certs/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "rules/core/mem.h"

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

enum lg_err_code lg_cert_dir_open(const char *path, int *ret_fd, struct lg_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return lg_err_set_errno(err, errno, path, "cannot open the certificate directory");
    *ret_fd = fd;
    return LG_E_OK;
}

static void free_secret(struct lg_str *text)
{
    if (text->p != NULL)
        OPENSSL_cleanse((char *)text->p, text->n);
    free((char *)text->p);
    *text = (struct lg_str){0};
}

struct lg_cert_files lg_cert_files_steal(struct lg_cert_files *files)
{
    struct lg_cert_files stolen = *files;
    *files = (struct lg_cert_files){0};
    return stolen;
}

void lg_cert_files_done(struct lg_cert_files *files)
{
    free_secret(&files->chain);
    free_secret(&files->key);
    free_secret(&files->ca);
    free_secret(&files->ca_key);
}

/* Fills `text` with up to `size` bytes; negative with errno set. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, text + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

/* Not lg_file_read_at: a buffer that grows leaves copies of a key behind. One buffer is read into,
 * trimmed by a copy, and cleansed. */
static enum lg_err_code read_file(int dir_fd, const char *dir, const char *name, size_t max_bytes,
                                  struct lg_str *ret, struct lg_err *err)
{
    char where[PATH_MAX];
    (void)snprintf(where, sizeof where, "%s/%s", dir, name);
    /* O_NONBLOCK: a FIFO of that name must not hang the server. */
    int fd lg_cleanup(close_fd) = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return LG_E_OK;
    if (fd < 0)
        return lg_err_set_errno(err, errno, where, "cannot open");
    char *text = lg_calloc(max_bytes + 1, 1);
    ssize_t n = read_all(fd, text, max_bytes + 1);
    int os_errno = errno;
    if (n >= 0 && (size_t)n <= max_bytes)
        *ret = (struct lg_str){lg_memdup(text, (size_t)n), (size_t)n};
    OPENSSL_cleanse(text, max_bytes + 1);
    free(text);
    if (n < 0)
        return lg_err_set_errno(err, os_errno, where, "cannot read");
    if ((size_t)n > max_bytes)
        return lg_err_set(err, LG_E_LIMIT, where, "is larger than %zu bytes", max_bytes);
    return LG_E_OK;
}

enum lg_err_code lg_cert_files_read(int dir_fd, const char *dir, bool with_ca_key,
                                    struct lg_cert_files *ret, struct lg_err *err)
{
    int data_fd lg_cleanup(close_fd) = openat(dir_fd, "..data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = data_fd >= 0 ? data_fd : dir_fd;
    struct lg_cert_files files lg_cleanup(lg_cert_files_done) = {0};
    struct {
        const char *name;
        size_t max_bytes;
        struct lg_str *text;
    } all[] = {
        {LG_CERTS_CHAIN, LG_CERTS_CHAIN_BYTES_MAX, &files.chain},
        {LG_CERTS_KEY, LG_CERTS_KEY_BYTES_MAX, &files.key},
        {LG_CERTS_CA, LG_CERTS_CA_BYTES_MAX, &files.ca},
        {LG_CERTS_CA_KEY, LG_CERTS_KEY_BYTES_MAX, &files.ca_key},
    };
    for (size_t i = 0; i < (with_ca_key ? 4U : 3U); i++) {
        enum lg_err_code code = read_file(fd, dir, all[i].name, all[i].max_bytes, all[i].text, err);
        if (code != LG_E_OK)
            return code;
    }
    *ret = lg_cert_files_steal(&files);
    return LG_E_OK;
}
