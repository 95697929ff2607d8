/* How records are read: fields by path and type, and what is kept as text; and the readers that
 * have a file of their own.
 *
 * Private to records*.c. A reader belongs to one object on one thread; what it gives is borrowed
 * from the object or from its arena. The first field of a wrong type ends the reading with
 * LG_E_INVALID and its path; what is asked for after that is absent or as good as it is.
 */
#ifndef LG_RULES_VIRT_RECORDS_WANT_H
#define LG_RULES_VIRT_RECORDS_WANT_H

#include "rules/virt/records.h"

struct lg_reader {
    struct lg_val object;
    struct lg_arena *arena;
    struct lg_err *err;
    enum lg_err_code code;
};

/* The value at a dotted path below `from`, absent where there is none. A step on the way that is no
 * object, and a value that is neither absent nor of this type, fail the reading. */
struct lg_str lg_want_str(struct lg_reader *reader, struct lg_val from, const char *path);
struct lg_val lg_want_list(struct lg_reader *reader, struct lg_val from, const char *path);
struct lg_val lg_want_object(struct lg_reader *reader, struct lg_val from, const char *path);
bool lg_want_flag(struct lg_reader *reader, struct lg_val from, const char *path);
/* metadata.labels */
struct lg_labels lg_want_labels(struct lg_reader *reader);
/* The item of status.conditions with this type, or LG_NONE. */
struct lg_val lg_want_condition(struct lg_reader *reader, const char *type);

/* Appends `"key":<text of v>` when v is there. */
void lg_keep_member(struct lg_buf *buf, const char *key, struct lg_val v);
/* Begins a text of the object: its metadata, left open, with its name. */
void lg_keep_name(struct lg_reader *reader, struct lg_buf *buf);
/* The buffer's text, in the arena; ends the buffer. */
struct lg_str lg_keep_text(struct lg_reader *reader, struct lg_buf *buf);

/* What is kept of guests and of their migrations (records_guests.c); *ret is zeroed but for its
 * head. */
void lg_read_vm(struct lg_reader *reader, struct lg_vm_record *ret);
void lg_read_pool(struct lg_reader *reader, struct lg_vm_record *ret);
void lg_read_replica_set(struct lg_reader *reader, struct lg_vm_record *ret);
void lg_read_vmi(struct lg_reader *reader, struct lg_vmi_record *ret);
void lg_read_migration(struct lg_reader *reader, struct lg_migration_record *ret);

#endif
