#include "rules/core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "rules/core/mem.h"

enum { READ_BYTES_FIRST = 64 * 1024, LISTED_MAX = 100000 };

static void close_cleanup(const int *fd)
{
    if (*fd > STDERR_FILENO)
        close(*fd);
}

static void closedir_cleanup(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

/* What is no file to read, as a person says it; NULL = it is a regular one. */
static const char *what_else(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return NULL;
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a named pipe";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static enum lg_err_code no_file(mode_t mode, const char *path, struct lg_err *err)
{
    return lg_err_set(err, LG_E_INVALID, path, "is %s, not a file", what_else(mode));
}

/* A pipe that has no name stands in the kernel's file system of pipes. */
static bool is_nameless_pipe(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

/* Room for what fstat says, or for twice what is there where it cannot say. */
static size_t next_size(size_t size, size_t max_bytes)
{
    size_t more = size > max_bytes / 2 ? max_bytes : size * 2;
    return more < READ_BYTES_FIRST ? READ_BYTES_FIRST : more;
}

static enum lg_err_code read_all(int fd, const char *path, size_t max_bytes, char **ret_text,
                                 size_t *ret_bytes, struct lg_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return lg_err_set_errno(err, errno, path, "cannot read");
    if (S_ISDIR(st.st_mode))
        return no_file(st.st_mode, path, err);
    bool sized = S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= max_bytes;
    size_t size = sized ? (size_t)st.st_size : next_size(0, max_bytes);
    char *text lg_cleanup(lg_free_cleanup) = lg_realloc(NULL, size + 2, 1);
    size_t n = 0;
    for (;;) {
        /* One byte more than may be there: that is how the end and too much are told apart. */
        ssize_t got = read(fd, text + n, size + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lg_err_set_errno(err, errno, path, "cannot read");
        n += (size_t)got;
        if (n > max_bytes)
            return lg_err_set(err, LG_E_LIMIT, path, "is larger than %zu bytes", max_bytes);
        if (got == 0)
            break;
        if (n > size) {
            size = next_size(size, max_bytes);
            text = lg_realloc(text, size + 2, 1);
        }
    }
    text[n] = '\0';
    *ret_text = lg_steal(text);
    *ret_bytes = n;
    return LG_E_OK;
}

enum lg_err_code lg_file_read_at(int dir_fd, const char *name, size_t max_bytes, char **ret_text,
                                 size_t *ret_bytes, struct lg_err *err)
{
    /* Without waiting: a named pipe would open only once somebody writes. */
    int fd lg_cleanup(close_cleanup) =
        openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return lg_err_set_errno(err, errno, name, "cannot open");
    if (!S_ISREG(st.st_mode) && !(S_ISFIFO(st.st_mode) && is_nameless_pipe(fd)))
        return no_file(st.st_mode, name, err);
    if (fcntl(fd, F_SETFL, 0) != 0)
        return lg_err_set_errno(err, errno, name, "cannot read");
    return read_all(fd, name, max_bytes, ret_text, ret_bytes, err);
}

enum lg_err_code lg_file_read(const char *path, size_t max_bytes, char **ret_text,
                              size_t *ret_bytes, struct lg_err *err)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, path, max_bytes, ret_text, ret_bytes, err);
    return lg_file_read_at(AT_FDCWD, path, max_bytes, ret_text, ret_bytes, err);
}

static int write_all(int fd, struct lg_str text)
{
    while (text.n != 0) {
        ssize_t put = write(fd, text.p, text.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        text = (struct lg_str){text.p + put, text.n - (size_t)put};
    }
    return 0;
}

/* The new name is on disk only when its directory is; file systems that cannot do that say
 * EINVAL. */
static int sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *dir lg_cleanup(lg_free_cleanup) = n != 0 ? lg_memdup(path, n) : lg_memdup(".", 1);
    int fd lg_cleanup(close_cleanup) = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        return errno;
    return 0;
}

static int replace(const char *path, const char *temporary, int fd, struct lg_str text, mode_t mode)
{
    struct stat st;
    int error = write_all(fd, text);
    /* Whose it was it stays, where we may say so; else it is ours, like any file that we make. */
    if (error == 0 && stat(path, &st) == 0 && (st.st_uid != geteuid() || st.st_gid != getegid()) &&
        fchown(fd, st.st_uid, st.st_gid) != 0)
        error = errno == EPERM ? 0 : errno;
    if (error == 0 && fchmod(fd, mode) != 0)
        error = errno;
    if (error == 0 && fsync(fd) != 0)
        error = errno;
    if (error == 0 && rename(temporary, path) != 0)
        error = errno;
    return error;
}

enum lg_err_code lg_file_write(const char *path, struct lg_str text, mode_t mode,
                               struct lg_err *err)
{
    /* A link stays a link: what it points to is replaced. */
    char *real lg_cleanup(lg_free_cleanup) = realpath(path, NULL);
    const char *target = real != NULL ? real : path;
    char *temporary lg_cleanup(lg_free_cleanup) = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", target) < 0)
        lg_oom(strlen(target));
    int fd lg_cleanup(close_cleanup) = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return lg_err_set_errno(err, errno, path, "cannot write");
    int error = replace(target, temporary, fd, text, mode);
    if (error != 0)
        unlink(temporary);
    else
        error = sync_directory(target);
    return error == 0 ? LG_E_OK : lg_err_set_errno(err, error, path, "cannot write");
}

struct list {
    char **items; /* NULL-terminated */
    size_t n;
};

static void list_add(struct list *list, char *take_path)
{
    list->items = lg_realloc(list->items, list->n + 2, sizeof *list->items);
    list->items[list->n++] = take_path;
    list->items[list->n] = NULL;
}

static void list_done(struct list *list)
{
    lg_file_list_free(list->items);
    *list = (struct list){0};
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    for (size_t i = 0; suffixes[i] != NULL; i++)
        if (lg_str_ends(lg_str_of(name), suffixes[i]))
            return true;
    return false;
}

/* A walk through directories: what was found, and what still has to be opened. */
struct walk {
    const char *const *suffixes;
    struct list files, dirs;
};

static void walk_done(struct walk *walk)
{
    list_done(&walk->files);
    list_done(&walk->dirs);
}

/* Puts one entry of an open directory to the files or to the directories that wait. */
static enum lg_err_code sort_entry(struct walk *walk, int dir_fd, const char *dir, const char *name,
                                   struct lg_err *err)
{
    char *path lg_cleanup(lg_free_cleanup) = NULL;
    bool slash = lg_str_ends(lg_str_of(dir), "/");
    if (asprintf(&path, "%s%s%s", dir, slash ? "" : "/", name) < 0)
        lg_oom(strlen(dir));
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return lg_err_set_errno(err, errno, path, "cannot read");
    if (S_ISDIR(st.st_mode)) {
        list_add(&walk->dirs, lg_steal(path));
        return LG_E_OK;
    }
    if (!has_suffix(name, walk->suffixes))
        return LG_E_OK;
    if (S_ISLNK(st.st_mode) && fstatat(dir_fd, name, &st, 0) != 0)
        return lg_err_set_errno(err, errno, path, "cannot read");
    if (S_ISDIR(st.st_mode)) /* behind a link */
        return LG_E_OK;
    if (!S_ISREG(st.st_mode))
        return no_file(st.st_mode, path, err);
    list_add(&walk->files, lg_steal(path));
    return LG_E_OK;
}

/* File systems that show the kernel's state: endless, and nobody's manifests. */
static bool is_kernels_own(int dir_fd)
{
    static const unsigned magics[] = {
        PROC_SUPER_MAGIC,   SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
        DEBUGFS_MAGIC,      TRACEFS_MAGIC,  SECURITYFS_MAGIC,   BPF_FS_MAGIC,
        DEVPTS_SUPER_MAGIC, PSTOREFS_MAGIC, BINFMTFS_MAGIC,     SELINUX_MAGIC,
    };
    struct statfs fs;
    if (fstatfs(dir_fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if ((unsigned)fs.f_type == magics[i])
            return true;
    return false;
}

static enum lg_err_code list_dir(struct walk *walk, const char *dir, struct lg_err *err)
{
    DIR *open_dir lg_cleanup(closedir_cleanup) = opendir(dir);
    if (open_dir == NULL)
        return lg_err_set_errno(err, errno, dir, "cannot open");
    if (is_kernels_own(dirfd(open_dir)))
        return lg_err_set(err, LG_E_INVALID, dir,
                          "is a file system of the kernel, not a directory of manifests");
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(open_dir);
        if (entry == NULL && errno != 0)
            return lg_err_set_errno(err, errno, dir, "cannot read");
        if (entry == NULL)
            return LG_E_OK;
        if (entry->d_name[0] == '.')
            continue;
        enum lg_err_code code = sort_entry(walk, dirfd(open_dir), dir, entry->d_name, err);
        if (code != LG_E_OK)
            return code;
        if (walk->files.n + walk->dirs.n > LISTED_MAX)
            return lg_err_set(err, LG_E_LIMIT, dir, "more than %d files", LISTED_MAX);
    }
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum lg_err_code lg_file_list(const char *path, const char *const *suffixes, char ***ret_paths,
                              struct lg_err *err)
{
    struct walk walk lg_cleanup(walk_done) = {.suffixes = suffixes};
    struct list *files = &walk.files;
    struct stat st = {0};
    bool standard_input = strcmp(path, "-") == 0;
    if (!standard_input && stat(path, &st) != 0)
        return lg_err_set_errno(err, errno, path, "cannot open");
    list_add(S_ISDIR(st.st_mode) ? &walk.dirs : files, lg_memdup(path, strlen(path)));
    for (size_t i = 0; i < walk.dirs.n; i++) {
        enum lg_err_code code = list_dir(&walk, walk.dirs.items[i], err);
        if (code != LG_E_OK)
            return code;
    }
    if (files->n == 0)
        files->items = lg_calloc(1, sizeof *files->items);
    qsort(files->items, files->n, sizeof *files->items, compare_paths);
    *ret_paths = lg_steal(files->items);
    return LG_E_OK;
}

void lg_file_list_free(char **paths)
{
    for (char **path = paths; path != NULL && *path != NULL; path++)
        free(*path);
    free(paths);
}
