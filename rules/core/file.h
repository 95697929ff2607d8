/* Whole files: bounded reads, atomic writes, directories in a stable order. Any thread. */
#ifndef LG_RULES_CORE_FILE_H
#define LG_RULES_CORE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "rules/core/err.h"
#include "rules/core/str.h"

/* Reads the file ("-" = standard input) into malloc'd, NUL-terminated memory, given. LG_E_LIMIT
 * over `max_bytes`, LG_E_NOTFOUND, LG_E_DENIED, LG_E_IO with the path in err->where; LG_E_INVALID
 * for a directory, a device, a named pipe or a socket, which are never waited for. A pipe without a
 * name, as shells make them for <(command), is read. */
enum lg_err_code lg_file_read(const char *path, size_t max_bytes, char **ret_text,
                              size_t *ret_bytes, struct lg_err *err)
    __attribute__((warn_unused_result));

/* lg_file_read of `name` inside an open directory. */
enum lg_err_code lg_file_read_at(int dir_fd, const char *name, size_t max_bytes, char **ret_text,
                                 size_t *ret_bytes, struct lg_err *err)
    __attribute__((warn_unused_result));

/* Writes through a temporary file beside it, fsync and rename: readers see the old or the new text,
 * whole. */
enum lg_err_code lg_file_write(const char *path, struct lg_str text, mode_t mode,
                               struct lg_err *err) __attribute__((warn_unused_result));

/* The files below `path` (itself, when it is a file or "-") whose name ends in one of `suffixes`
 * (NULL-terminated; applies inside directories only), sorted, hidden ones left out, links to files
 * followed, links to directories not. LG_E_INVALID for a device, pipe or socket of such a name, and
 * where the walk comes to a file system of the kernel's own (/proc, /sys...). *ret_paths: malloc'd
 * array of malloc'd strings, NULL-terminated, given (lg_file_list_free). */
enum lg_err_code lg_file_list(const char *path, const char *const *suffixes, char ***ret_paths,
                              struct lg_err *err) __attribute__((warn_unused_result));
void lg_file_list_free(char **paths);

#endif
