#include "webhook/cli/registration.h"

#include "certs/bundle.h"
#include "rules/core/base64.h"
#include "rules/core/mem.h"

static bool is_ours(struct lg_val client, const struct lg_registration_wanted *wanted)
{
    struct lg_val service = lg_json_get(client, "service");
    if (!lg_json_there(service))
        return wanted->urls && lg_json_there(lg_json_get(client, "url"));
    return lg_json_is_str(lg_json_get(service, "name"), wanted->service) &&
           lg_json_is_str(lg_json_get(service, "namespace"), wanted->ns);
}

size_t lg_registration_ours(struct lg_val configuration,
                            const struct lg_registration_wanted *wanted)
{
    size_t n = 0;
    struct lg_json_iter it = lg_json_iter(lg_json_get(configuration, "webhooks"));
    while (lg_json_next(&it))
        n += is_ours(lg_json_get(it.val, "clientConfig"), wanted);
    return n;
}

/* The caBundle that the entry is to have, in base64. */
static enum lg_err_code bundle_for(struct lg_str present,
                                   const struct lg_registration_wanted *wanted,
                                   struct lg_arena *arena, struct lg_buf *ret, struct lg_err *err)
{
    struct lg_buf pem lg_cleanup(lg_buf_done) = {0};
    char *text = lg_arena_alloc(arena, lg_base64_room(present.n));
    struct lg_str published = {text, 0};
    if (wanted->replace || !lg_base64_decode(present, text, &published.n))
        published = (struct lg_str){0};
    enum lg_err_code code =
        lg_cert_bundle(wanted->ca_pem, wanted->ca_name, published, wanted->now_unix_s, &pem, err);
    if (code == LG_E_OK)
        lg_base64_add(ret, lg_buf_view(&pem));
    return code;
}

static void set_bundle(struct lg_val root, struct lg_val client, struct lg_str bundle,
                       struct lg_registration_change *change)
{
    struct lg_arena *arena = client.doc->arena;
    struct lg_str quoted = lg_arena_printf(arena, "\"%.*s\"", LG_ARG(bundle));
    struct lg_str pointer =
        lg_patch_below(lg_patch_pointer(root, client, arena), LG_STR("caBundle"), arena);
    if (change->changed++ == 0)
        lg_patch_replace(&change->patch, LG_STR("/metadata/resourceVersion"),
                         lg_json_text(lg_json_at(root, "metadata.resourceVersion")));
    lg_patch_add(&change->patch, pointer, quoted);
}

enum lg_err_code lg_registration_change(struct lg_val configuration,
                                        const struct lg_registration_wanted *wanted,
                                        struct lg_registration_change *ret, struct lg_err *err)
{
    *ret = (struct lg_registration_change){0};
    struct lg_json_iter it = lg_json_iter(lg_json_get(configuration, "webhooks"));
    while (lg_json_next(&it)) {
        struct lg_buf bundle lg_cleanup(lg_buf_done) = {0};
        struct lg_val client = lg_json_get(it.val, "clientConfig");
        if (!is_ours(client, wanted))
            continue;
        struct lg_str present = lg_json_str(lg_json_get(client, "caBundle"));
        ret->ours++;
        enum lg_err_code code = bundle_for(present, wanted, client.doc->arena, &bundle, err);
        if (code != LG_E_OK)
            return code;
        if (!lg_str_eq(present, lg_buf_view(&bundle)))
            set_bundle(configuration, client, lg_buf_view(&bundle), ret);
    }
    return LG_E_OK;
}
