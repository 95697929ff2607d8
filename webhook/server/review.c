#include "webhook/server/review.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "rules/answer.h"
#include "rules/core/mem.h"
#include "webhook/limiter/ledger_memory.h"
#include "webhook/runtime/clock.h"
#include "webhook/runtime/log.h"
#include "webhook/server/duration.h"
#include "webhook/server/policy_stats.h"
#include "webhook/server/stats.h"

enum {
    MISROUTED_LOG_INTERVAL_MS = 60 * 1000,
    USED_PERCENT = 80,                  /* of what the caller waits */
    PAUSED_PERCENT = 70,                /* of that at most in pauses: judging comes behind them */
    PAUSED_BODY_BYTES_MAX = 512 * 1024, /* a larger review is not held in memory to wait */
};

struct lg_reviewer {
    struct lg_store *store;
    struct lg_ledger_api *ledger; /* NULL: `memory` */
    struct lg_ledger_memory *memory;
    struct lg_client *client;
    struct lg_pauses *pauses;
    pthread_mutex_t lock; /* the policy pointer */
    struct lg_policy *policy;
    _Atomic int64_t misrouted_log_ms; /* earliest time of the next line */
};

LG_DEFINE_CLEANUP(struct lg_policy, lg_policy_unref)

struct lg_reviewer *lg_reviewer_new(const struct lg_reviewer_options *options)
{
    struct lg_reviewer *reviewer = lg_calloc(1, sizeof *reviewer);
    reviewer->ledger = options->ledger;
    reviewer->memory = lg_ledger_memory_new();
    reviewer->store = options->store;
    reviewer->client = options->client;
    reviewer->pauses = options->pauses;
    reviewer->policy = options->take_policy;
    pthread_mutex_init(&reviewer->lock, NULL);
    return reviewer;
}

void lg_reviewer_free(struct lg_reviewer *reviewer)
{
    if (reviewer == NULL)
        return;
    lg_policy_unref(reviewer->policy);
    lg_ledger_memory_free(reviewer->memory);
    pthread_mutex_destroy(&reviewer->lock);
    free(reviewer);
}

void lg_reviewer_set_policy(struct lg_reviewer *reviewer, struct lg_policy *take_policy)
{
    pthread_mutex_lock(&reviewer->lock);
    struct lg_policy *old = reviewer->policy;
    reviewer->policy = take_policy;
    pthread_mutex_unlock(&reviewer->lock);
    lg_policy_unref(old);
}

static struct lg_policy *policy_ref(struct lg_reviewer *reviewer)
{
    pthread_mutex_lock(&reviewer->lock);
    struct lg_policy *policy = lg_policy_ref(reviewer->policy);
    pthread_mutex_unlock(&reviewer->lock);
    return policy;
}

void lg_reviewer_survey(struct lg_reviewer *reviewer)
{
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = policy_ref(reviewer);
    struct lg_limiter_survey limiter = {0};
    struct lg_arena arena lg_cleanup(lg_arena_done);
    struct lg_node_traffic *nodes;
    unsigned ticket;
    lg_arena_init(&arena);
    lg_policy_stats_survey(policy, lg_clock_unix_s());
    const struct lg_inventory *inventory = lg_store_pin(reviewer->store, &ticket);
    const struct lg_slots *slots = lg_inventory_slots(inventory);
    limiter.running = lg_slots_running(slots);
    limiter.pending = lg_slots_used(slots) - limiter.running;
    const struct lg_migration_settings *limits = &lg_inventory_settings(inventory)->migrations;
    limiter.limit = limits->of[LG_MIGRATION_PARALLEL_CLUSTER].value;
    limiter.limit_out = limits->of[LG_MIGRATION_PARALLEL_OUTBOUND].value;
    limiter.limit_in = lg_policy_limiter(policy)->inbound_per_node;
    limiter.n_nodes = lg_limits_nodes(slots, NULL, &arena, &nodes);
    lg_limits_nodes_by_traffic(nodes, limiter.n_nodes);
    limiter.nodes = nodes;
    if (reviewer->ledger != NULL)
        lg_ledger_api_counts(reviewer->ledger, &limiter.reserved, &limiter.waiting);
    else
        lg_ledger_memory_counts(reviewer->memory, inventory, lg_clock_mono_ms(), &limiter.reserved,
                                &limiter.waiting);
    lg_stats_limiter(&limiter);
    lg_store_unpin(reviewer->store, ticket);
}

int64_t lg_review_timeout_ms(const char *timeout)
{
    int64_t ms = 0;
    if (timeout == NULL || lg_duration_ms(lg_str_of(timeout), &ms) != LG_E_OK || ms == 0)
        return LG_REVIEW_TIMEOUT_MS;
    return ms < LG_REVIEW_TIMEOUT_MS_MAX ? ms : LG_REVIEW_TIMEOUT_MS_MAX;
}

static bool expired(void *arg)
{
    const int64_t *deadline_ns = arg;
    return lg_clock_mono_ns() >= *deadline_ns;
}

static bool op_of(struct lg_str operation, enum lg_op *ret)
{
    static const struct {
        const char *name;
        enum lg_op op;
    } ops[] = {{"CREATE", LG_OP_CREATE},
               {"UPDATE", LG_OP_UPDATE},
               {"DELETE", LG_OP_DELETE},
               {"CONNECT", LG_OP_CONNECT}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (lg_str_is(operation, ops[i].name)) {
            *ret = ops[i].op;
            return true;
        }
    }
    return false;
}

/* A wrong registration is no way around a rule: the review is judged all the same, and said. */
static void check_route(struct lg_reviewer *reviewer, enum lg_route route,
                        const struct lg_review *review)
{
    enum lg_route proper =
        review->kind == LG_KIND_MIGRATION ? LG_ROUTE_MIGRATIONS : LG_ROUTE_VALIDATE;
    if (route == proper || route == LG_ROUTE_MUTATE || review->kind == LG_KIND_OTHER)
        return;
    lg_stats_misrouted();
    int64_t now_ms = lg_clock_mono_ms();
    int64_t due_ms = atomic_load(&reviewer->misrouted_log_ms);
    if (now_ms < due_ms || !atomic_compare_exchange_strong(&reviewer->misrouted_log_ms, &due_ms,
                                                           now_ms + MISROUTED_LOG_INTERVAL_MS))
        return;
    lg_log(LG_LOG_WARN,
           "a review came in by the path of other kinds; correct the webhook's registration",
           LG_F_STR("kind", review->kind_name),
           LG_F_TEXT("path", route == LG_ROUTE_MIGRATIONS ? "/validate/migrations" : "/validate"));
}

/* In mode observe: what enforce would refuse. */
static bool would_deny(const struct lg_finding *finding)
{
    return finding->action == LG_ACTION_WARN && finding->was == LG_ACTION_DENY &&
           !finding->ratcheted;
}

/* "LG101,LG202": the rules of the findings that deny, or would. */
static struct lg_str denying_rules(const struct lg_judgement *judgement, struct lg_buf *buf)
{
    const struct lg_rule *last = NULL;
    bool observed = judgement->mode == LG_MODE_OBSERVE;
    for (size_t i = 0; i < judgement->n; i++) {
        const struct lg_finding *finding = &judgement->findings[i];
        bool denies = observed ? would_deny(finding) : finding->action == LG_ACTION_DENY;
        if (!denies || finding->rule == last)
            continue;
        if (buf->n > 0)
            lg_buf_putc(buf, ',');
        lg_buf_puts(buf, finding->rule->id);
        last = finding->rule;
    }
    return lg_buf_view(buf);
}

/* Whether enforce would have refused what mode observe let in. */
static bool observed_denial(const struct lg_judgement *judgement)
{
    bool denies = judgement->refused;
    if (judgement->mode != LG_MODE_OBSERVE || judgement->requester != LG_REQUESTER_PERSON)
        return false;
    for (size_t i = 0; i < judgement->n && !denies; i++)
        denies = would_deny(&judgement->findings[i]);
    return denies;
}

static void log_denial(const struct lg_review *review, const struct lg_judgement *judgement,
                       bool allowed, int64_t duration_ns)
{
    struct lg_buf rules lg_cleanup(lg_buf_done) = {0};
    const struct lg_str absent = {0};
    bool refused = judgement->refused;

    lg_log(LG_LOG_INFO, allowed ? "would be denied" : "denied", LG_F_STR("uid", review->uid),
           LG_F_STR("operation", review->operation), LG_F_STR("kind", review->kind_name),
           LG_F_STR("namespace", review->ns), LG_F_STR("name", review->name),
           LG_F_STR("user", review->username), LG_F_TEXT("verdict", refused ? "refused" : "deny"),
           LG_F_STR("rules", refused ? absent : denying_rules(judgement, &rules)),
           LG_F_TEXT("where", refused ? judgement->refusal.where : NULL),
           LG_F_TEXT("reason", refused ? judgement->refusal.text : NULL),
           LG_F_BOOL("dry_run", review->dry_run),
           LG_F_REAL("duration_ms", (double)duration_ns / 1e6));
}

/* What was asked. */
struct question {
    const struct lg_review_call *call;
    struct lg_review review;
    enum lg_op op;
    const struct lg_policy *policy; /* held while the judgement, which may hold its text, is used */
};

/* What came of it: a judgement, or by the route of /mutate a mending. */
struct outcome {
    struct lg_judgement judgement;
    struct lg_mending mending;
    struct lg_answer answer;
};

/* Until when a review may be suspended (monotonic). */
static int64_t pause_deadline_ms(const struct lg_review_call *call)
{
    return call->arrived_ns / 1000000 + call->timeout_ms * PAUSED_PERCENT / 100;
}

static bool is_too_large(const struct lg_review_call *call)
{
    return call->body.n > PAUSED_BODY_BYTES_MAX;
}

/* The connection, where it may be suspended. */
static void *may_pause(const struct lg_review_call *call)
{
    return is_too_large(call) ? NULL : call->connection;
}

/* Asks the shared ledger; false: the review cannot wait for it. */
static bool ask_ledger(struct lg_reviewer *reviewer, const struct lg_review_call *call,
                       const struct lg_ask *ask)
{
    int64_t deadline_ms = pause_deadline_ms(call);
    if (may_pause(call) == NULL || deadline_ms - lg_clock_mono_ms() < LG_INQUIRY_MS_MIN)
        return false;
    struct lg_pause *pause =
        lg_pause_begin(reviewer->pauses, call->connection, ask->ns, deadline_ms);
    if (pause == NULL)
        return false;
    call->memory->turn = lg_ledger_api_ask(reviewer->ledger, ask, deadline_ms, lg_pause_end, pause);
    return true;
}

/* What the limiter says to this ask; NULL: the connection is suspended until it knows. */
static const struct lg_turnout *turnout_of(struct lg_reviewer *reviewer,
                                           const struct lg_engine_input *input,
                                           const struct lg_review_call *call,
                                           const struct lg_ask *ask, bool controller,
                                           struct lg_arena *arena)
{
    struct lg_turnout *turnout = lg_arena_alloc(arena, sizeof *turnout);
    struct lg_ledger nothing = {0};
    if (controller) { /* counted, and never made to wait */
        lg_limits_decide(ask, lg_inventory_slots(input->inventory), &nothing, turnout);
        return turnout;
    }
    if (reviewer->ledger == NULL) {
        lg_ledger_memory_decide(reviewer->memory, ask, input->inventory, arena, turnout);
        return turnout;
    }
    const struct lg_turnout *said =
        call->memory->turn != NULL ? lg_ledger_ask_turnout(call->memory->turn) : NULL;
    if (said != NULL)
        return said;
    bool asked = call->memory->turn != NULL;
    if (!asked && ask_ledger(reviewer, call, ask))
        return NULL;
    lg_limiter_unreachable(input->policy, ask, turnout);
    /* Nobody goes through because too many wait here, because their time was over before their
     * turn, or because it gave us less time than the ledger may take. */
    if (!asked || call->timeout_ms < LG_REVIEW_TIMEOUT_MS ||
        !lg_ledger_api_is_away(reviewer->ledger))
        turnout->admitted = lg_limiter_passes(ask);
    if (is_too_large(call)) /* it would be so each time */
        turnout->waits_bytes_max = PAUSED_BODY_BYTES_MAX;
    else if (!turnout->admitted && !ask->no_ticket && !ask->no_trace)
        turnout->retry_after_s = lg_ledger_api_unreached(reviewer->ledger, ask, call->memory->turn);
    return turnout;
}

/* A new migration that no rule denies waits for its turn; one that has it is judged as any other
 * object. */
static enum lg_inquiry_step take_turn(struct lg_reviewer *reviewer,
                                      const struct lg_engine_input *input,
                                      const struct lg_review_call *call, struct lg_arena *arena,
                                      struct lg_judgement *io_judgement)
{
    struct lg_ask ask;
    if (!lg_limiter_ask(input, io_judgement, lg_clock_mono_ms(), arena, &ask))
        return LG_INQUIRY_ANSWER;
    bool controller = io_judgement->requester == LG_REQUESTER_CONTROLLER;
    const struct lg_turnout *turnout = turnout_of(reviewer, input, call, &ask, controller, arena);
    if (turnout == NULL)
        return LG_INQUIRY_WAIT;
    if (!lg_limiter_speaks(turnout))
        return LG_INQUIRY_ANSWER;
    struct lg_engine_input again = *input;
    again.turnout = turnout;
    lg_engine_judge(&again, arena, io_judgement);
    return LG_INQUIRY_ANSWER;
}

static enum lg_inquiry_step next_step(struct lg_reviewer *reviewer, const struct question *question,
                                      const struct lg_wants *wants)
{
    const struct lg_review_call *call = question->call;
    const struct lg_inquirer inquirer = {
        .client = reviewer->client,
        .pauses = reviewer->pauses,
        .ns = question->review.ns,
        .connection = may_pause(call),
        .deadline_ms = pause_deadline_ms(call),
    };
    return lg_inquiry_next(&call->memory->inquiry, wants, &inquirer, lg_clock_mono_ms());
}

/* Judges or mends by one state of the inventory; *ret is whole only where the answer may leave. */
static enum lg_inquiry_step decide(struct lg_reviewer *reviewer, const struct question *question,
                                   const struct lg_inventory *inventory, struct lg_arena *arena,
                                   struct outcome *ret)
{
    const struct lg_review_call *call = question->call;
    const struct lg_review *review = &question->review;
    int64_t deadline_ns = call->arrived_ns + call->timeout_ms * USED_PERCENT * 10000;
    const struct lg_engine_input input = {
        .inventory = lg_inquiry_view(&call->memory->inquiry, inventory, arena),
        .confirm = reviewer->client != NULL,
        .policy = question->policy,
        .kind = review->kind,
        .op = question->op,
        .subresource = review->subresource.n > 0,
        .ns = review->ns,
        .name = review->name,
        .object = review->object,
        .old_object = review->old_object,
        .refusal = review->refused ? &review->refusal : NULL,
        .username = review->username,
        .groups = review->groups,
        .dry_run = review->dry_run,
        .now_unix_s = lg_clock_unix_s(),
        .expired = expired,
        .expired_arg = &deadline_ns,
    };
    enum lg_inquiry_step step = LG_INQUIRY_ANSWER;
    *ret = (struct outcome){0};
    if (call->route == LG_ROUTE_MUTATE) {
        lg_engine_mend(&input, LG_MEND_ADMISSION, arena, &ret->mending);
        step = next_step(reviewer, question, &ret->mending.wants);
        if (step == LG_INQUIRY_ANSWER)
            lg_answer_mended(&ret->mending, arena, &ret->answer);
    } else {
        lg_engine_judge(&input, arena, &ret->judgement);
        lg_limiter_want(&input, &ret->judgement);
        step = next_step(reviewer, question, &ret->judgement.wants);
        if (step == LG_INQUIRY_ANSWER)
            step = take_turn(reviewer, &input, call, arena, &ret->judgement);
        if (step == LG_INQUIRY_ANSWER)
            lg_answer_make(&ret->judgement, review->group, review->kind_name, arena, &ret->answer);
    }
    ret->answer.uid = review->uid;
    return step;
}

static void log_mending(const struct lg_review *review, struct lg_str rules, int64_t duration_ns)
{
    lg_log(LG_LOG_INFO, "mended", LG_F_STR("uid", review->uid),
           LG_F_STR("operation", review->operation), LG_F_STR("kind", review->kind_name),
           LG_F_STR("namespace", review->ns), LG_F_STR("name", review->name),
           LG_F_STR("user", review->username), LG_F_STR("rules", rules),
           LG_F_BOOL("dry_run", review->dry_run),
           LG_F_REAL("duration_ms", (double)duration_ns / 1e6));
}

/* Counts and logs. */
static void account(const struct question *question, const struct outcome *outcome)
{
    const struct lg_review *review = &question->review;
    int64_t duration_ns = lg_clock_mono_ns() - question->call->arrived_ns;

    if (question->call->route == LG_ROUTE_MUTATE) {
        lg_stats_mutation(&outcome->mending, duration_ns);
        if (outcome->answer.patch.n != 0)
            log_mending(review, outcome->answer.notes[0].value, duration_ns);
        return;
    }
    lg_stats_review(review->kind, question->op, &outcome->judgement, duration_ns);
    lg_policy_stats_review(&outcome->judgement);
    bool allowed = outcome->answer.allowed;
    if (!allowed || observed_denial(&outcome->judgement))
        log_denial(review, &outcome->judgement, allowed, duration_ns);
}

void lg_review_memory_done(struct lg_review_memory *memory)
{
    lg_inquiry_done(&memory->inquiry);
    lg_ledger_ask_unref(lg_steal(memory->turn));
}

enum lg_err_code lg_reviewer_answer(struct lg_reviewer *reviewer, const struct lg_review_call *call,
                                    struct lg_arena *arena, char **ret_text, size_t *ret_bytes,
                                    struct lg_err *err)
{
    struct lg_policy *policy lg_cleanup(lg_policy_unref_cleanup) = policy_ref(reviewer);
    struct question question = {.call = call, .policy = policy};
    struct lg_review *review = &question.review;
    struct outcome outcome;
    enum lg_inquiry_step step;
    unsigned ticket;

    enum lg_err_code code = lg_review_decode(arena, call->body, review, err);
    if (code != LG_E_OK)
        return code;
    if (!op_of(review->operation, &question.op))
        return lg_err_set(err, LG_E_INVALID, "request.operation",
                          "is not CREATE, UPDATE, DELETE or CONNECT");
    if (call->memory->pauses == 0)
        check_route(reviewer, call->route, review);
    *ret_text = NULL;
    do {
        const struct lg_inventory *inventory = lg_store_pin(reviewer->store, &ticket);
        step = decide(reviewer, &question, inventory, arena, &outcome);
        if (step == LG_INQUIRY_ANSWER)
            *ret_text = lg_review_encode(&outcome.answer, ret_bytes);
        lg_store_unpin(reviewer->store, ticket); /* findings may hold text of its records */
    } while (step == LG_INQUIRY_AGAIN);
    if (step == LG_INQUIRY_ANSWER)
        account(&question, &outcome);
    else
        call->memory->pauses++;
    return LG_E_OK;
}
