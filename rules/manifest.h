/* Objects in files: what kubectl accepts with -f. YAML with many documents, JSON, List objects,
 * directories, "-".
 *
 * Source of the inventory of `check`, the demo and tests, and of the objects that `check` judges.
 * One thread.
 */
#ifndef LG_RULES_MANIFEST_H
#define LG_RULES_MANIFEST_H

#include "rules/core/map.h"
#include "rules/core/yaml.h"
#include "rules/inventory.h"

enum { LG_MANIFEST_FILE_BYTES_MAX = 256 * 1024 * 1024 };

struct lg_manifest_object {
    struct lg_val object;
    const char *file;  /* as the user named it; "-" = standard input */
    uint32_t document; /* from 1 */
    struct lg_mark mark;
    enum lg_kind kind;
    /* the text it was read from, with what stands beside it there: a slice of `file_text` */
    struct lg_yaml_document part;
    struct lg_str file_text;
    bool json;
};

/* Everything read from a set of paths; owns texts and arenas. */
struct lg_manifests {
    struct lg_manifest_object *items;
    size_t n;
    struct lg_arena arena;
    /* private */
    char **texts;
    size_t n_texts;
    struct lg_map read; /* real paths */
};

/* Reads `path` (file, directory with .yaml .yml .json, or "-") and appends its objects, Lists taken
 * apart; a file that was read already is passed over. The first unreadable file or document ends
 * it: err->where is "file:line:column". */
enum lg_err_code lg_manifests_read(struct lg_manifests *manifests, const char *path,
                                   struct lg_err *err) __attribute__((warn_unused_result));
void lg_manifests_done(struct lg_manifests *manifests);

/* Puts every object of a known kind into the inventory (later ones replace earlier ones) and marks
 * the kinds that stand there as known. */
enum lg_err_code lg_manifests_fill(const struct lg_manifests *manifests,
                                   struct lg_inventory *inventory, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
