/* livegate check --fix: what can be mended in the files that were given, and what needs a person.
 *
 * Claims and data volumes are mended first, so that a machine that uses them is judged over what
 * they will be. A repair counts only when it stands in the user's own text: the text with it is
 * read back and has to be the mended object. One thread.
 */
#ifndef LG_WEBHOOK_CLI_FIX_H
#define LG_WEBHOOK_CLI_FIX_H

#include <stdio.h>

#include "rules/core/rewrite.h"
#include "rules/mend.h"
#include "webhook/cli/bundle.h"

/* One object that was given. */
struct lg_fix_object {
    const struct lg_manifest_object *source;
    struct lg_str ns, name;
    struct lg_mending mending;
    struct lg_val object;          /* as the file will say it */
    bool mended;                   /* the repairs are in the text */
    struct lg_str why;             /* not: why there is no repair, or why it cannot be written */
    bool was_denied;               /* by the files as they are */
    struct lg_judgement judgement; /* of `object` */
};

/* One file that was given. */
struct lg_fix_file {
    const char *name;
    struct lg_str text;
    struct lg_splices splices;
    bool written;
};

struct lg_fixing {
    struct lg_arena arena;
    struct lg_fix_object *objects; /* as many as the bundle was given, in that order */
    size_t n_objects;
    struct lg_fix_file *files;
    size_t n_files;
};

struct lg_fix_options {
    const struct lg_policy *policy;
    int kubevirt_version;
    int64_t now_unix_s;
};

/* Works everything out; changes the bundle's inventory as the repairs will, and no file. */
enum lg_err_code lg_fix(struct lg_bundle *bundle, const struct lg_fix_options *options,
                        struct lg_fixing *ret, struct lg_err *err)
    __attribute__((warn_unused_result));
void lg_fixing_done(struct lg_fixing *fixing);

/* Writes the files that change, each whole or not at all; mode, owner (where we may) and links
 * stay. LG_E_CONFLICT: a file is no longer what was read, or read-only. */
enum lg_err_code lg_fix_write(struct lg_fixing *fixing, struct lg_err *err)
    __attribute__((warn_unused_result));

/* True for what of `object` a person has to look at: a violation that is left. */
bool lg_fix_is_left(const struct lg_finding *finding);
/* Why it is left: "move the guest's service to another port". */
struct lg_str lg_fix_reason(const struct lg_fix_object *object, const struct lg_finding *finding);

/* Diffs, repairs and what needs a person, for people or as a FixReport. */
void lg_fix_print_table(const struct lg_fixing *fixing, FILE *out);
void lg_fix_print_json(const struct lg_fixing *fixing, FILE *out);

#endif
