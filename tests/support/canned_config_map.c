#include "tests/support/canned_parts.h"

#include <stdio.h>

#include "rules/core/json.h"
#include "rules/core/mem.h"
#include "rules/core/out.h"

bool lg_canned_is_config_map(const struct lg_canned *canned, const char *url)
{
    return canned->has_config_map &&
           strcmp(url, "/api/v1/namespaces/livegate/configmaps/livegate-ledger") == 0;
}

static enum MHD_Result answer_config_map(struct lg_canned *canned,
                                         struct MHD_Connection *connection)
{
    char version[16];
    struct lg_buf out lg_cleanup(lg_buf_done) = {0};
    json_t *root = lg_out_object();
    json_t *metadata = lg_out_object();
    (void)snprintf(version, sizeof version, "%u", canned->config_map_version);
    lg_out_set_str(metadata, "resourceVersion", lg_str_of(version));
    lg_out_set(root, "metadata", metadata);
    if (canned->config_map.n != 0) {
        json_t *data = lg_out_object();
        lg_out_set_str(data, "ledger", lg_buf_view(&canned->config_map));
        lg_out_set(root, "data", data);
    }
    lg_out_text(root, 0, &out);
    json_decref(root);
    return lg_canned_answer(connection, 200, &out);
}

static enum MHD_Result patch_config_map(struct lg_canned *canned, struct MHD_Connection *connection,
                                        const struct lg_buf *body)
{
    char version[16];
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_val root = LG_NONE;
    lg_arena_init(&arena);
    (void)snprintf(version, sizeof version, "%u", canned->config_map_version);
    if (lg_json_parse(&arena, lg_buf_view(body), &root, NULL) != LG_E_OK ||
        !lg_str_is(lg_json_str_at(root, "metadata.resourceVersion"), version))
        return lg_canned_answer_status(connection, 409, NULL);
    canned->config_map.n = 0;
    lg_buf_str(&canned->config_map, lg_json_str_at(root, "data.ledger"));
    canned->config_map_version++;
    if (canned->config_map_lost > 0) {
        canned->config_map_lost--;
        return lg_canned_answer_status(connection, 500, NULL);
    }
    return answer_config_map(canned, connection);
}

/* In the lock. */
static void put_text(struct lg_canned *canned, const char *text)
{
    canned->config_map.n = 0;
    lg_buf_puts(&canned->config_map, text);
    canned->config_map_version++;
}

enum MHD_Result lg_canned_serve_config_map(struct lg_canned *canned,
                                           struct MHD_Connection *connection, const char *method,
                                           const struct lg_buf *body)
{
    if (canned->config_map_hangs && strcmp(method, "GET") == 0)
        return lg_canned_serve_watch(canned, connection, LG_KIND_MIGRATION, LG_CANNED_HANG);
    if (strcmp(method, "GET") != 0)
        return patch_config_map(canned, connection, body);
    enum MHD_Result result = answer_config_map(canned, connection);
    if (canned->config_map_race != NULL)
        put_text(canned, lg_steal(canned->config_map_race));
    return result;
}

void lg_canned_config_map(struct lg_canned *canned, int lost)
{
    pthread_mutex_lock(&canned->mutex);
    canned->has_config_map = true;
    canned->config_map_lost = lost;
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_hang_config_map(struct lg_canned *canned, bool hangs)
{
    pthread_mutex_lock(&canned->mutex);
    canned->config_map_hangs = hangs;
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_set_config_map_text(struct lg_canned *canned, const char *text)
{
    pthread_mutex_lock(&canned->mutex);
    put_text(canned, text);
    pthread_mutex_unlock(&canned->mutex);
}

void lg_canned_race_config_map(struct lg_canned *canned, const char *text)
{
    pthread_mutex_lock(&canned->mutex);
    canned->config_map_race = text;
    pthread_mutex_unlock(&canned->mutex);
}

char *lg_canned_config_map_text(struct lg_canned *canned)
{
    pthread_mutex_lock(&canned->mutex);
    char *text = lg_calloc(1, canned->config_map.n + 1);
    if (canned->config_map.n != 0)
        memcpy(text, canned->config_map.p, canned->config_map.n);
    pthread_mutex_unlock(&canned->mutex);
    return text;
}
