/* HTTP: which request is answered how. The handlers that the server library calls.
 *
 * A request is refused by its head alone: what has no length or is too long is never read. A
 * refused request whose body is short is read to its end first, so that the connection can be kept.
 * Any of the library's threads; what belongs to one request lies in its `state`, which its
 * connection's thread has to itself.
 */
#ifndef LG_WEBHOOK_SERVER_ROUTES_H
#define LG_WEBHOOK_SERVER_ROUTES_H

#include <microhttpd.h>

/* MHD_AccessHandlerCallback of the reviews' port and of the operations' port; `service` is a struct
 * lg_service. */
enum MHD_Result lg_routes_reviews(void *service, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_bytes, void **state);
enum MHD_Result lg_routes_operations(void *service, struct MHD_Connection *connection,
                                     const char *url, const char *method, const char *version,
                                     const char *upload_data, size_t *upload_bytes, void **state);

/* Their MHD_RequestCompletedCallbacks. */
void lg_routes_completed(void *service, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code);
void lg_routes_operated(void *service, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode code);

#endif
