/* From an object's JSON to what a record keeps of it, still borrowed: one reader function a kind.
 *
 * Private to records*.c. Pure, any thread.
 */
#ifndef LG_RULES_VIRT_RECORDS_READ_H
#define LG_RULES_VIRT_RECORDS_READ_H

#include "rules/virt/records.h"

/* Room for the record of any kind. */
union lg_any_record {
    struct lg_record r;
    struct lg_node node;
    struct lg_claim claim;
    struct lg_volume volume;
    struct lg_storage_class storage_class;
    struct lg_storage_profile storage_profile;
    struct lg_data_volume data_volume;
    struct lg_vm_record vm;
    struct lg_vmi_record vmi;
    struct lg_migration_record migration;
    struct lg_namespace ns;
    struct lg_migration_policy_record migration_policy;
    struct lg_config_record config;
};

/* Fills *io_record, zeroed but for its kind; texts are borrowed from `object` or `arena`. Errors as
 * lg_record_new. */
enum lg_err_code lg_record_read(struct lg_val object, struct lg_arena *arena,
                                union lg_any_record *io_record, struct lg_err *err)
    __attribute__((warn_unused_result));

#endif
