/* Lists and watches taken apart: the same items wherever the chunks end, and every broken stream
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "rules/core/mem.h"
#include "tests/support/asserts.h"
#include "webhook/cluster/frame.h"

struct got {
    struct lg_buf items; /* each followed by '|'; too large: "#|" */
    size_t n, refuse_at;
};

static enum lg_err_code on_item(void *arg, struct lg_str item, struct lg_err *err)
{
    struct got *got = arg;
    if (item.p == NULL)
        lg_buf_putc(&got->items, '#');
    lg_buf_str(&got->items, item);
    lg_buf_putc(&got->items, '|');
    if (++got->n == got->refuse_at)
        return lg_err_set(err, LG_E_DENIED, "item", "no more");
    return LG_E_OK;
}

/* Feeds the text in pieces of `step` bytes; 0: whole. */
static enum lg_err_code feed(struct lg_frame *frame, struct lg_str text, size_t step,
                             struct lg_err *err)
{
    enum lg_err_code code = LG_E_OK;
    for (size_t at = 0; at < text.n && code == LG_E_OK; at += step != 0 ? step : text.n) {
        size_t n = step != 0 && step < text.n - at ? step : text.n - at;
        /* a block of its own: reading beyond it is seen by a sanitizer */
        char *piece lg_cleanup(lg_free_cleanup) = lg_calloc(n, 1);
        memcpy(piece, text.p + at, n);
        code = lg_frame_feed(frame, (struct lg_str){piece, n}, err);
    }
    return code;
}

static void expect_list(const char *text, const char *items, const char *version, const char *next)
{
    for (size_t step = 0; step < 40; step++) {
        struct got got = {0};
        struct lg_frame frame lg_cleanup(lg_frame_done);
        struct lg_frame_list list lg_cleanup(lg_frame_list_done) = {0};
        struct lg_err err = {0};
        lg_frame_init(&frame, LG_FRAME_LIST, 0, on_item, &got);
        assert_int_equal(feed(&frame, lg_str_of(text), step, &err), LG_E_OK);
        assert_int_equal(lg_frame_end(&frame, &list, &err), LG_E_OK);
        lg_buf_puts(&got.items, "");
        assert_string_equal(got.items.p != NULL ? got.items.p : "", items);
        assert_string_equal(list.resource_version, version);
        if (next != NULL)
            assert_string_equal(list.next, next);
        else
            assert_null(list.next);
        assert_non_null(list.kind);
        lg_buf_done(&got.items);
    }
}

static void a_list_gives_its_items(void **state)
{
    (void)state;
    expect_list("{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
                "\"12\"},\"items\":[{\"a\":1},{\"b\":[{},{\"c\":\"]}\"}]}]}\n",
                "{\"a\":1}|{\"b\":[{},{\"c\":\"]}\"}]}|", "12", NULL);
}

static void members_may_come_in_any_order(void **state)
{
    (void)state;
    expect_list("{\"items\":[{\"a\":\"\\\\\"},{\"b\":\"\\\"}\"}],\"kind\":\"VirtualMachineList\","
                "\"other\":[1,{\"x\":null}],\"n\":-1.5e3,\"t\":true,\"s\":\"a\\\"b\","
                "\"metadata\":{\"continue\":\"abc==\",\"resourceVersion\":\"7\","
                "\"remainingItemCount\":3}}",
                "{\"a\":\"\\\\\"}|{\"b\":\"\\\"}\"}|", "7", "abc==");
}

static void white_space_is_passed_over(void **state)
{
    (void)state;
    expect_list(" {\n \"items\" : [ {\"a\" : 1 } ,\t{} ] , \"metadata\" : {\"resourceVersion\" : "
                "\"1\" , \"continue\" : \"\" } } \r\n",
                "{\"a\" : 1 }|{}|", "1", NULL);
}

static void a_list_may_be_empty_or_null(void **state)
{
    (void)state;
    expect_list("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}", "", "1", NULL);
    expect_list("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":null}", "", "1", NULL);
}

static void the_kind_is_told(void **state)
{
    (void)state;
    struct got got = {0};
    struct lg_frame frame lg_cleanup(lg_frame_done);
    struct lg_frame_list list lg_cleanup(lg_frame_list_done) = {0};
    struct lg_err err = {0};
    lg_frame_init(&frame, LG_FRAME_LIST, 0, on_item, &got);
    assert_int_equal(feed(&frame,
                          LG_STR("{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},"
                                 "\"items\":[]}"),
                          0, &err),
                     LG_E_OK);
    assert_int_equal(lg_frame_end(&frame, &list, &err), LG_E_OK);
    assert_string_equal(list.kind, "NodeList");
}

static void broken_lists_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *why;
    } rows[] = {
        {"[]", "byte 0", "the answer is no list"},
        {"<html>", "byte 0", "the answer is no list"},
        {"{]", "byte 1", "expected a member's name"},
        {"{\"a\":1,}", "byte 7", "expected a member's name"},
        {"{\"a\" 1}", "byte 5", "expected a colon"},
        {"{\"a\":}", "byte 5", "expected a value"},
        {"{\"a\":1 2}", "byte 7", "expected a comma or }"},
        {"{\"a\":tru}", "byte 8", "a member of the list is not JSON"},
        {"{\"a\":[}]}", "byte 7", "a member of the list is not JSON"},
        {"{\"a\\u0062\":1}", "byte 3", "a member of the list has a name that no list has"},
        {"{\"items\":{}}", "byte 11", "items is neither a list nor null"},
        {"{\"items\":[1]}", "byte 10", "an item of the list is no object"},
        {"{\"items\":[{},]}", "byte 13", "an item of the list is no object"},
        {"{\"items\":[{} {}]}", "byte 13", "expected a comma or ]"},
        {"{\"items\":[],\"items\":[]}", "byte 18", "kind, metadata or items is there twice"},
        {"{\"metadata\":{},\"metadata\":{}}", "byte 24", "kind, metadata or items is there twice"},
        {"{\"items\":[]}", "byte 12",
         "the answer is no list: it has no items or no resourceVersion"},
        {"{\"metadata\":{\"resourceVersion\":\"1\"}}", "byte 36",
         "the answer is no list: it has no items or no resourceVersion"},
        {"{\"metadata\":{\"resourceVersion\":1},\"items\":[]}", "byte 45",
         "the answer is no list: it has no items or no resourceVersion"},
        {"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]} x", "byte 48",
         "more text behind the list"},
        {"{\"items\":[{\"a\":", "byte 15", "the list ends too early"},
        {"", "byte 0", "the list ends too early"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 0; step < 5; step++) {
            struct got got = {0};
            struct lg_frame frame lg_cleanup(lg_frame_done);
            struct lg_frame_list list = {0};
            struct lg_err err = {0};
            lg_frame_init(&frame, LG_FRAME_LIST, 0, on_item, &got);
            enum lg_err_code code = feed(&frame, lg_str_of(rows[i].text), step, &err);
            if (code == LG_E_OK)
                code = lg_frame_end(&frame, &list, &err);
            assert_int_equal(code, LG_E_INVALID);
            lg_assert_err(&err, LG_E_INVALID, rows[i].where, rows[i].why);
            assert_null(list.resource_version);
            assert_int_equal(lg_frame_feed(&frame, LG_STR("{}"), NULL), LG_E_INVALID);
            assert_int_equal(lg_frame_feed(&frame, LG_STR(" "), NULL), LG_E_INVALID);
            assert_int_equal(lg_frame_end(&frame, &list, NULL), LG_E_INVALID);
            lg_buf_done(&got.items);
        }
    }
}

static void a_watch_gives_its_events(void **state)
{
    (void)state;
    struct lg_str text = LG_STR("{\"type\":\"ADDED\",\"object\":{\"a\":\"}\\n\"}}\n"
                                "{\"type\":\"BOOKMARK\"}{\"type\":\"DELETED\"}\n\n");
    for (size_t step = 0; step < 40; step++) {
        struct got got = {0};
        struct lg_frame frame lg_cleanup(lg_frame_done);
        struct lg_frame_list list = {0};
        struct lg_err err = {0};
        lg_frame_init(&frame, LG_FRAME_WATCH, 0, on_item, &got);
        assert_int_equal(feed(&frame, text, step, &err), LG_E_OK);
        assert_string_equal(got.items.p, "{\"type\":\"ADDED\",\"object\":{\"a\":\"}\\n\"}}|"
                                         "{\"type\":\"BOOKMARK\"}|{\"type\":\"DELETED\"}|");
        assert_int_equal(lg_frame_end(&frame, &list, &err), LG_E_OK);
        assert_null(list.resource_version);
        lg_buf_done(&got.items);
    }
}

static void broken_watches_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *why;
    } rows[] = {
        {"[]", "byte 0", "an event is no object"},
        {"{}\nnull", "byte 3", "an event is no object"},
        {"{}\n{\"type\":", "byte 11", "the stream ends within an event"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct got got = {0};
        struct lg_frame frame lg_cleanup(lg_frame_done);
        struct lg_frame_list list = {0};
        struct lg_err err = {0};
        lg_frame_init(&frame, LG_FRAME_WATCH, 0, on_item, &got);
        enum lg_err_code code = feed(&frame, lg_str_of(rows[i].text), 2, &err);
        if (code == LG_E_OK)
            code = lg_frame_end(&frame, &list, &err);
        assert_int_equal(code, LG_E_INVALID);
        assert_string_equal(err.where, rows[i].where);
        assert_string_equal(err.text, rows[i].why);
        lg_buf_done(&got.items);
    }
}

static void a_too_large_item_is_passed_over_and_costs_nobody_else(void **state)
{
    (void)state;
    struct lg_str text = LG_STR("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"a\":1},"
                                "{\"b\":\"0123456789012345678901234567890123456789\"},{\"c\":3}]}");
    for (size_t step = 0; step < 50; step++) {
        struct got got = {0};
        struct lg_frame frame lg_cleanup(lg_frame_done);
        struct lg_frame_list list lg_cleanup(lg_frame_list_done) = {0};
        struct lg_err err = {0};
        lg_frame_init(&frame, LG_FRAME_LIST, 32, on_item, &got);
        assert_int_equal(feed(&frame, text, step, &err), LG_E_OK);
        assert_int_equal(lg_frame_end(&frame, &list, &err), LG_E_OK);
        assert_string_equal(got.items.p, "{\"a\":1}|#|{\"c\":3}|");
        lg_buf_done(&got.items);
    }
}

static void what_stands_beside_the_items_is_bounded(void **state)
{
    (void)state;
    struct got got = {0};
    struct lg_frame frame lg_cleanup(lg_frame_done);
    struct lg_err err = {0};
    struct lg_buf text = {0};
    lg_frame_init(&frame, LG_FRAME_LIST, 0, on_item, &got);
    lg_buf_puts(&text, "{\"x\":\"");
    while (text.n < LG_FRAME_MEMBER_BYTES_MAX + 10)
        lg_buf_putc(&text, 'x');
    assert_int_equal(feed(&frame, lg_buf_view(&text), 1000, &err), LG_E_LIMIT);
    assert_string_equal(err.text, "a member of the list is larger than 64 KiB");
    lg_frame_done(&frame);
    err = (struct lg_err){0};
    lg_frame_init(&frame, LG_FRAME_LIST, 0, on_item, &got);
    text.n = 0;
    lg_buf_puts(&text, "{\"");
    while (text.n < 300)
        lg_buf_putc(&text, 'x');
    assert_int_equal(feed(&frame, lg_buf_view(&text), 0, &err), LG_E_LIMIT);
    assert_string_equal(err.text, "a member of the list has an endless name");
    lg_buf_done(&text);
}

static void a_refused_item_ends_the_feeding(void **state)
{
    (void)state;
    struct got got = {.refuse_at = 2};
    struct lg_frame frame lg_cleanup(lg_frame_done);
    struct lg_err err = {0};
    lg_frame_init(&frame, LG_FRAME_WATCH, 0, on_item, &got);
    assert_int_equal(feed(&frame, LG_STR("{}{}{}"), 0, &err), LG_E_DENIED);
    assert_string_equal(err.text, "no more");
    assert_int_equal(got.n, 2);
    assert_int_equal(feed(&frame, LG_STR("{}"), 0, NULL), LG_E_INVALID);
    lg_buf_done(&got.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_gives_its_items),
        cmocka_unit_test(members_may_come_in_any_order),
        cmocka_unit_test(white_space_is_passed_over),
        cmocka_unit_test(a_list_may_be_empty_or_null),
        cmocka_unit_test(the_kind_is_told),
        cmocka_unit_test(broken_lists_are_refused),
        cmocka_unit_test(a_watch_gives_its_events),
        cmocka_unit_test(broken_watches_are_refused),
        cmocka_unit_test(a_too_large_item_is_passed_over_and_costs_nobody_else),
        cmocka_unit_test(what_stands_beside_the_items_is_bounded),
        cmocka_unit_test(a_refused_item_ends_the_feeding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
