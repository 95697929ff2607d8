#include "rules/core/out.h"

#include "rules/core/mem.h"
#include "rules/core/utf8.h"

static json_t *made(json_t *value)
{
    if (value == NULL)
        lg_oom(0);
    return value;
}

static void repair(struct lg_buf *buf, struct lg_str s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t c;
        size_t len = lg_utf8_decode((const unsigned char *)s.p + i, s.n - i, &c);
        if (len == 0) {
            lg_buf_add(buf, s.p + kept, i - kept);
            lg_buf_puts(buf, "\xEF\xBF\xBD");
            kept = i + 1;
        }
        i += len != 0 ? len : 1;
    }
    lg_buf_add(buf, s.p + kept, s.n - kept);
}

json_t *lg_out_str(struct lg_str s)
{
    json_t *value = json_stringn(s.n != 0 ? s.p : "", s.n);
    if (value != NULL)
        return value;
    struct lg_buf clean lg_cleanup(lg_buf_done) = {0};
    repair(&clean, s);
    return made(json_stringn_nocheck(clean.p, clean.n));
}

json_t *lg_out_object(void)
{
    return made(json_object());
}

json_t *lg_out_array(void)
{
    return made(json_array());
}

void lg_out_set(json_t *object, const char *key, json_t *take_value)
{
    if (json_object_set_new_nocheck(object, key, take_value) != 0)
        lg_oom(0);
}

void lg_out_set_str(json_t *object, const char *key, struct lg_str s)
{
    lg_out_set(object, key, lg_out_str(s));
}

void lg_out_append(json_t *array, json_t *take_value)
{
    if (json_array_append_new(array, take_value) != 0)
        lg_oom(0);
}

static int add_text(const char *text, size_t n, void *buf)
{
    lg_buf_add(buf, text, n);
    return 0;
}

void lg_out_text(const json_t *value, size_t indent, struct lg_buf *buf)
{
    size_t flags = JSON_ENCODE_ANY | (indent != 0 ? JSON_INDENT(indent) : JSON_COMPACT);
    if (json_dump_callback(value, add_text, buf, flags) != 0)
        lg_oom(0);
}
