/* Any bytes as a manifest file: every object that is read has a kind and a place, and one that is
 * not read is an error with the file's name and place. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rules/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(const struct lg_manifests *manifests)
{
    struct lg_inventory *inv = lg_inventory_new();
    struct lg_err err = {0};
    enum lg_err_code code = lg_manifests_fill(manifests, inv, &err);
    assert(code == err.code);
    assert(code == LG_E_OK || err.where[0] != '\0');
    lg_inventory_free(inv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("manifest", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct lg_manifests manifests = {0};
    struct lg_err err = {0};
    enum lg_err_code code = lg_manifests_read(&manifests, path, &err);
    assert(code == err.code);
    assert(code == LG_E_OK || (strstr(err.where, path) == err.where && err.text[0] != '\0'));
    for (size_t i = 0; i < manifests.n; i++) {
        const struct lg_manifest_object *item = &manifests.items[i];
        assert(lg_json_kind(item->object) == LG_JSON_OBJECT);
        assert(item->document >= 1 && item->mark.line >= 1 && item->mark.column >= 1);
        assert(strcmp(item->file, path) == 0);
    }
    if (code == LG_E_OK)
        fill(&manifests);
    lg_manifests_done(&manifests);
    close(fd);
    return 0;
}
