/* Any bytes as YAML: reading never crashes and stays within its limits; what is read is JSON with a
 * place for every node, and is read again as itself. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "rules/core/mem.h"
#include "rules/core/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t count_lines(struct lg_str text)
{
    uint32_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static void check_marks(struct lg_val root, const struct lg_yaml_document *document)
{
    uint32_t last = document->first_line + count_lines(document->text);
    for (uint32_t i = 0; i < root.doc->count; i++) {
        struct lg_mark mark = lg_json_mark((struct lg_val){root.doc, i});
        assert(mark.line >= document->first_line && mark.line <= last && mark.column >= 1);
    }
}

/* -0 is an integer when it is read again, and YAML folds at line ends that are characters to
 * JSON. */
static bool changes_when_read_again(struct lg_val root)
{
    static const char *const ends[] = {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
    struct lg_str text = lg_json_text(root);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (memmem(text.p, text.n, ends[i], strlen(ends[i])) != NULL)
            return true;
    for (uint32_t i = 0; i < root.doc->count; i++)
        if (lg_str_is(lg_json_text((struct lg_val){root.doc, i}), "-0"))
            return true;
    return false;
}

/* JSON that we made is YAML that means itself. */
static void check_again(struct lg_arena *arena, struct lg_val root)
{
    if (changes_when_read_again(root))
        return;
    struct lg_yaml_document again = {.text = lg_json_text(root), .first_line = 1, .number = 1};
    struct lg_val same = LG_NONE;
    struct lg_err err = {0};
    enum lg_err_code code = lg_yaml_parse(arena, &again, "again", &same, &err);
    /* Keys of over 1,024 characters are no simple keys; DEL and its like are not YAML unless
     * escaped. */
    if (code == LG_E_OK)
        assert(lg_json_equal(root, same));
    else
        assert(code == err.code && strncmp(err.where, "again:", 6) == 0);
}

static void read_document(const struct lg_yaml_document *document)
{
    struct lg_arena arena lg_cleanup(lg_arena_done) = {0};
    struct lg_val root = LG_NONE;
    struct lg_err err = {0};
    enum lg_err_code code = lg_yaml_parse(&arena, document, "file", &root, &err);
    assert(code == err.code);
    if (code != LG_E_OK) {
        assert(root.doc == NULL);
        assert(strncmp(err.where, "file:", 5) == 0 && err.text[0] != '\0');
        return;
    }
    if (root.doc == NULL)
        return;
    check_marks(root, document);
    check_again(&arena, root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lg_str file = {(const char *)data, size};
    struct lg_yaml_document document = {.text = file, .first_line = 1, .number = 1};
    read_document(&document);
    size_t pos = 0;
    size_t before = 0;
    uint32_t line = 0;
    while (lg_yaml_next_document(file, &pos, &document)) {
        assert(pos > before && pos <= size && document.number >= 1 && document.first_line > line);
        assert(document.text.p >= file.p && document.text.p + document.text.n <= file.p + size);
        read_document(&document);
        line = document.first_line;
        before = pos;
    }
    assert(pos == size || size <= 3);
    return 0;
}
