/* What `livegate check` was given: the objects to judge, and the inventory that they and
 * --inventory make together.
 *
 * Everything is one bundle, whatever the order: a claim that stands in a later file is there for
 * the VM of an earlier one. Owned by the command, one thread.
 */
#ifndef LG_WEBHOOK_CLI_BUNDLE_H
#define LG_WEBHOOK_CLI_BUNDLE_H

#include "rules/manifest.h"

struct lg_bundle {
    struct lg_manifests given;   /* the PATHs: what is judged */
    struct lg_manifests cluster; /* --inventory: what is only there */
    struct lg_inventory *inventory;
};

/* Reads both lists of paths (either may be empty). Errors as lg_manifests_read; LG_E_NOTFOUND when
 * `paths` hold no object at all, so that a mistyped path is no clean report. */
enum lg_err_code lg_bundle_read(struct lg_bundle *bundle, const char *const *paths, size_t n_paths,
                                const char *const *inventory, size_t n_inventory,
                                struct lg_err *err) __attribute__((warn_unused_result));
void lg_bundle_done(struct lg_bundle *bundle);

/* The object as the API server would hand it to a webhook: with the defaults that it fills in
 * before admission (a claim's volumeMode). Positions stay the user's. The object itself where there
 * is nothing to fill in; else a copy in the arena. */
struct lg_val lg_bundle_defaulted(const struct lg_manifest_object *item, struct lg_arena *arena);

/* The namespace that kubectl would send it to: "default" where the manifest names none, "" for what
 * has none. */
struct lg_str lg_bundle_namespace(const struct lg_manifest_object *item);

/* The value at a path as errors name it ("spec.volumes[2].name", metadata.annotations["a.b/c"]), or
 * the deepest part of it that is there: `object` itself for a path that leads nowhere. */
struct lg_val lg_bundle_resolve(struct lg_val object, const char *path);

#endif
