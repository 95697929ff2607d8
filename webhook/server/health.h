/* What /livez and /readyz say. Any thread. */
#ifndef LG_WEBHOOK_SERVER_HEALTH_H
#define LG_WEBHOOK_SERVER_HEALTH_H

#include "webhook/server/service.h"

/* How long housekeeping may be away before the process is better restarted. */
enum { LG_HEARTBEAT_MS_MAX = 60 * 1000 };

/* True when alive; *ret_text says why not, or "ok". Static storage. */
bool lg_health_live(const struct lg_service *service, int64_t now_ms, const char **ret_text);

/* True when requests should come here. Once ready, only the request to stop ends it. */
bool lg_health_ready(const struct lg_service *service, const char **ret_text);

#endif
