/* What `check --fix` found, for people and for programs. */
#include <stdlib.h>
#include <string.h>

#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "webhook/cli/diff.h"
#include "webhook/cli/fix.h"
#include "webhook/cli/output.h"

/* The line in the user's file: of the field where it is still there, else of what is around it. */
static uint32_t line_of(const struct lg_fix_object *object, const struct lg_finding *finding,
                        struct lg_arena *arena)
{
    struct lg_str field = lg_arena_str(arena, finding->field);
    uint32_t line = lg_json_mark(lg_bundle_resolve(object->source->object, field.p)).line;
    return line != 0 ? line : object->source->mark.line;
}

/* From here, or from the root for what is not below here: what `git apply` and `patch -p1` look
 * for. */
static void add_diff(const struct lg_fix_file *file, struct lg_buf *buf)
{
    char *path lg_cleanup(lg_free_cleanup) = realpath(file->name, NULL);
    char *here lg_cleanup(lg_free_cleanup) = realpath(".", NULL);
    const char *name = path != NULL ? path : file->name;
    size_t n = path != NULL && here != NULL ? strlen(here) : 0;
    if (n != 0 && strncmp(name, here, n) == 0 && name[n] == '/')
        name += n;
    while (*name == '/')
        name++;
    lg_diff(name, file->text, &file->splices, buf);
}

struct counts {
    size_t files, repairs, left;
};

static struct counts count(const struct lg_fixing *fixing)
{
    struct counts counts = {0};
    for (size_t i = 0; i < fixing->n_files; i++)
        counts.files += fixing->files[i].splices.n != 0;
    for (size_t i = 0; i < fixing->n_objects; i++) {
        const struct lg_fix_object *object = &fixing->objects[i];
        counts.repairs += object->mended ? object->mending.n_notes : 0;
        counts.left += object->judgement.refused;
        for (size_t k = 0; k < object->judgement.n; k++)
            counts.left += lg_fix_is_left(&object->judgement.findings[k]);
    }
    return counts;
}

/* An object that cannot be read: its refusal, in place of findings. */
static void add_refusal(struct lg_buf *buf, const struct lg_fix_object *object)
{
    const struct lg_err *refusal = &object->judgement.refusal;
    lg_buf_printable(buf, lg_str_of(object->source->file));
    lg_buf_printf(
        buf, ":%u: ", lg_json_mark(lg_bundle_resolve(object->source->object, refusal->where)).line);
    lg_buf_printable(buf, lg_str_of(refusal->where));
    lg_buf_puts(buf, " cannot be judged\n    needs a person: ");
    lg_buf_printable(buf, lg_str_of(refusal->text));
    lg_buf_putc(buf, '\n');
}

static void add_left(struct lg_buf *buf, const struct lg_fix_object *object,
                     const struct lg_finding *finding)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    lg_arena_init(&arena);
    lg_buf_printable(buf, lg_str_of(object->source->file));
    lg_buf_printf(buf, ":%u: [%s] ", line_of(object, finding, &arena), finding->rule->id);
    lg_buf_printable(buf, finding->message);
    lg_buf_puts(buf, "\n    needs a person: ");
    lg_buf_printable(buf, lg_fix_reason(object, finding));
    lg_buf_putc(buf, '\n');
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

void lg_fix_print_table(const struct lg_fixing *fixing, FILE *out)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct counts counts = count(fixing);
    bool written = false;
    for (size_t i = 0; i < fixing->n_files; i++) {
        const struct lg_fix_file *file = &fixing->files[i];
        written = written || file->written;
        add_diff(file, &buf);
    }
    for (size_t i = 0; i < fixing->n_objects; i++) {
        const struct lg_fix_object *object = &fixing->objects[i];
        if (object->judgement.refused)
            add_refusal(&buf, object);
        for (size_t k = 0; k < object->judgement.n; k++)
            if (lg_fix_is_left(&object->judgement.findings[k]))
                add_left(&buf, object, &object->judgement.findings[k]);
        lg_output_flush(out, &buf);
    }
    lg_buf_printf(&buf, "%zu repair%s in %zu file%s%s; %zu finding%s need%s a person\n",
                  counts.repairs, plural(counts.repairs), counts.files, plural(counts.files),
                  counts.files == 0 ? ""
                  : written         ? ", written"
                                    : ", not written (--write does)",
                  counts.left, plural(counts.left), counts.left == 1 ? "s" : "");
    lg_output_flush(out, &buf);
}

static json_t *place_json(const struct lg_fix_object *object, const struct lg_rule *rule,
                          struct lg_str about)
{
    json_t *json = lg_out_object();
    lg_out_set_str(json, "file", lg_str_of(object->source->file));
    lg_out_set(json, "document", json_integer(object->source->document));
    lg_out_set_str(json, "namespace", object->ns);
    lg_out_set_str(json, "name", object->name);
    if (rule != NULL)
        lg_out_set_str(json, "rule", lg_str_of(rule->id));
    lg_out_set_str(json, "about", about);
    return json;
}

static json_t *refusal_json(const struct lg_fix_object *object)
{
    const struct lg_err *refusal = &object->judgement.refusal;
    struct lg_val at = lg_bundle_resolve(object->source->object, refusal->where);
    json_t *json = place_json(object, NULL, LG_STR(""));
    lg_out_set(json, "line", json_integer(lg_json_mark(at).line));
    lg_out_set_str(json, "field", lg_str_of(refusal->where));
    lg_out_set_str(json, "message", LG_STR("cannot be judged"));
    lg_out_set_str(json, "reason", lg_str_of(refusal->text));
    return json;
}

static json_t *files_json(const struct lg_fixing *fixing)
{
    json_t *files = lg_out_array();
    for (size_t i = 0; i < fixing->n_files; i++) {
        const struct lg_fix_file *file = &fixing->files[i];
        struct lg_buf diff lg_cleanup(lg_buf_done) = {0};
        if (file->splices.n == 0)
            continue;
        json_t *json = lg_out_object();
        add_diff(file, &diff);
        lg_out_set_str(json, "file", lg_str_of(file->name));
        lg_out_set(json, "written", json_boolean(file->written));
        lg_out_set_str(json, "diff", lg_buf_view(&diff));
        lg_out_append(files, json);
    }
    return files;
}

static void add_objects_json(const struct lg_fix_object *object, json_t *repairs, json_t *left)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    lg_arena_init(&arena);
    for (size_t i = 0; object->mended && i < object->mending.n_notes; i++) {
        const struct lg_mend_note *note = &object->mending.notes[i];
        json_t *json = place_json(object, note->rule, note->about);
        lg_out_set_str(json, "text", note->text);
        lg_out_append(repairs, json);
    }
    if (object->judgement.refused)
        lg_out_append(left, refusal_json(object));
    for (size_t i = 0; i < object->judgement.n; i++) {
        const struct lg_finding *finding = &object->judgement.findings[i];
        if (!lg_fix_is_left(finding))
            continue;
        json_t *json = place_json(object, finding->rule, finding->about);
        lg_out_set(json, "line", json_integer(line_of(object, finding, &arena)));
        lg_out_set_str(json, "field", finding->field);
        lg_out_set_str(json, "message", finding->message);
        lg_out_set_str(json, "reason", lg_fix_reason(object, finding));
        lg_out_append(left, json);
    }
}

void lg_fix_print_json(const struct lg_fixing *fixing, FILE *out)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    struct counts counts = count(fixing);
    json_t *report = lg_out_object();
    json_t *repairs = lg_out_array();
    json_t *left = lg_out_array();
    json_t *summary = lg_out_object();
    for (size_t i = 0; i < fixing->n_objects; i++)
        add_objects_json(&fixing->objects[i], repairs, left);
    lg_out_set(summary, "files", json_integer((json_int_t)counts.files));
    lg_out_set(summary, "repairs", json_integer((json_int_t)counts.repairs));
    lg_out_set(summary, "needPerson", json_integer((json_int_t)counts.left));
    lg_out_set_str(report, "apiVersion", LG_STR("livegate.io/v1"));
    lg_out_set_str(report, "kind", LG_STR("FixReport"));
    lg_out_set(report, "files", files_json(fixing));
    lg_out_set(report, "repairs", repairs);
    lg_out_set(report, "needPerson", left);
    lg_out_set(report, "summary", summary);
    lg_out_text(report, 2, &buf);
    lg_buf_putc(&buf, '\n');
    json_decref(report);
    lg_output_flush(out, &buf);
}
