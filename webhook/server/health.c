#include "webhook/server/health.h"

bool lg_health_live(const struct lg_service *service, int64_t now_ms, const char **ret_text)
{
    bool live = now_ms - atomic_load(&service->heartbeat_ms) <= LG_HEARTBEAT_MS_MAX;
    *ret_text = live ? "ok\n" : "housekeeping hangs\n";
    return live;
}

bool lg_health_ready(const struct lg_service *service, const char **ret_text)
{
    if (atomic_load(&service->draining)) {
        *ret_text = "stopping\n";
        return false;
    }
    if (!atomic_load(&service->loaded)) {
        *ret_text = "starting\n";
        return false;
    }
    bool known = atomic_load(&service->known);
    *ret_text = known ? "ok\n" : "the cluster is being listed; see the log\n";
    return known;
}
