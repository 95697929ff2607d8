/* Something to be done in the client's thread, which alone makes requests. Lies in what it belongs
 * to. */
#ifndef LG_WEBHOOK_CLUSTER_JOB_H
#define LG_WEBHOOK_CLUSTER_JOB_H

#include <stdint.h>

struct lg_http;
struct lg_job;

/* Called once, in the client's thread, never to wait: it starts calls on `http` (http.h), whose
 * ends come in the same thread. `http` NULL: the client has stopped; clean up. */
typedef void lg_job_fn(struct lg_job *job, struct lg_http *http);

struct lg_job {
    lg_job_fn *run;
    struct lg_job *next; /* private, as is the next */
    int64_t due_ms;
};

#endif
