/* The CheckReport: stable keys in a stable order, one object a line; new ones may be added. */
#include "rules/core/mem.h"
#include "rules/core/out.h"
#include "webhook/cli/bundle.h"
#include "webhook/cli/output.h"

static void set_count(json_t *object, const char *key, size_t n)
{
    lg_out_set(object, key, json_integer((json_int_t)n));
}

static void begin(struct lg_check_report *report)
{
    fputs("{\"apiVersion\":\"livegate.io/v1\",\"kind\":\"CheckReport\",\n \"results\":[",
          report->out);
}

static json_t *object_json(struct lg_check_report *report, const struct lg_check_item *item)
{
    const struct lg_manifest_object *source = item->source;
    json_t *object = lg_out_object();

    lg_out_set_str(object, "apiVersion", lg_check_api_version(report, item));
    lg_out_set_str(object, "kind", lg_check_kind(item));
    lg_out_set_str(object, "namespace", item->ns);
    lg_out_set_str(object, "name", item->name);
    if (lg_str_empty(item->name))
        lg_out_set_str(object, "generateName",
                       lg_json_str_at(source->object, "metadata.generateName"));
    lg_out_set_str(object, "file", lg_str_of(source->file));
    set_count(object, "document", source->document);
    set_count(object, "line", source->mark.line);
    return object;
}

json_t *lg_output_finding(const struct lg_finding *finding, enum lg_action action, uint32_t line)
{
    json_t *object = lg_out_object();

    lg_out_set_str(object, "rule", lg_str_of(finding->rule->id));
    lg_out_set_str(object, "name", lg_str_of(finding->rule->name));
    lg_out_set_str(object, "action", lg_str_of(lg_action_name(action)));
    lg_out_set_str(object, "about", finding->about);
    lg_out_set_str(object, "field", finding->field);
    if (line != 0)
        set_count(object, "line", line);
    lg_out_set_str(object, "message", finding->message);
    lg_out_set_str(object, "fix", finding->fix);
    if (finding->in_head)
        lg_out_set(object, "inHead", json_true());
    if (!lg_str_empty(finding->excuse))
        lg_out_set_str(object, "excuse", finding->excuse);
    lg_out_set(object, "kubevirtReason",
               finding->kubevirt_reason != NULL ? lg_out_str(lg_str_of(finding->kubevirt_reason))
                                                : json_null());
    return object;
}

static json_t *place_json(const struct lg_check_place *place)
{
    json_t *object = lg_out_object();

    lg_out_set_str(object, "node", place->node->r.name);
    lg_out_set_str(object, "reason", place->reason);
    return object;
}

static void set_placement(json_t *result, struct lg_check_report *report,
                          const struct lg_check_item *item)
{
    struct lg_check_place *places = NULL;
    size_t n = 0;

    if (!lg_check_places(report, item, &places, &n))
        return;
    json_t *eligible = lg_out_array();
    json_t *away = lg_out_array();
    json_t *excluded = lg_out_array();
    for (size_t i = 0; i < n; i++) {
        if (places[i].place == LG_PLACE_ELIGIBLE)
            lg_out_append(eligible, lg_out_str(places[i].node->r.name));
        else
            lg_out_append(places[i].place == LG_PLACE_AWAY ? away : excluded,
                          place_json(&places[i]));
    }
    json_t *placement = lg_out_object();
    struct lg_str source = lg_placement_source(item->judgement->requirements);
    if (!lg_str_empty(source))
        lg_out_set_str(placement, "source", source);
    lg_out_set(placement, "eligible", eligible);
    lg_out_set(placement, "away", away);
    lg_out_set(placement, "excluded", excluded);
    const struct lg_separation *separation = item->judgement->separation;
    if (separation != NULL && separation->n_outside > 0) {
        json_t *outside = lg_out_array();
        for (size_t i = 0; i < separation->n_outside; i++)
            lg_out_append(outside, lg_out_str(separation->outside[i]));
        lg_out_set(placement, "notCovered", outside);
    }
    lg_out_set(result, "placement", placement);
}

/* Why the object was refused as a whole: the webhook's 422. */
static void set_refusal(json_t *result, const struct lg_check_item *item, struct lg_val at)
{
    const struct lg_err *refusal = &item->judgement->refusal;
    json_t *object = lg_out_object();

    lg_out_set_str(object, "field", lg_str_of(refusal->where));
    set_count(object, "line", lg_check_line(item, at));
    lg_out_set_str(object, "message", lg_str_of(refusal->text));
    lg_out_set(result, "refused", object);
}

static void item(struct lg_check_report *report, const struct lg_check_item *item)
{
    const struct lg_judgement *judgement = item->judgement;
    bool guest = lg_kind_is_guest(item->source->kind);
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    json_t *result = lg_out_object();

    lg_out_set(result, "object", object_json(report, item));
    lg_out_set_str(result, "verdict", lg_str_of(lg_check_verdict(judgement)));
    if (guest) {
        int migratable = judgement->refused ? -1 : lg_judgement_migratable(judgement);
        lg_out_set(result, "migratable",
                   migratable < 0 ? json_null() : json_boolean(migratable != 0));
        lg_out_set(result, "blockMigration",
                   json_boolean(!judgement->refused && lg_judgement_block_migration(judgement)));
    }
    json_t *findings = lg_out_array();
    for (size_t i = 0; i < judgement->n; i++)
        lg_out_append(findings,
                      lg_output_finding(&judgement->findings[i], judgement->findings[i].action,
                                        lg_check_line(item, judgement->findings[i].at)));
    lg_out_set(result, "findings", findings);
    if (judgement->refused)
        set_refusal(result, item, lg_bundle_resolve(item->object, judgement->refusal.where));
    set_placement(result, report, item);
    lg_buf_puts(&buf, report->objects > 1 ? ",\n  " : "\n  ");
    lg_out_text(result, 0, &buf);
    json_decref(result);
    lg_output_flush(report->out, &buf);
}

/* Kinds that were not given at all, and the rules that miss them. */
static json_t *not_given_json(const struct lg_check_report *report)
{
    json_t *list = lg_out_array();

    for (enum lg_kind kind = 0; kind < LG_KIND_COUNT; kind++) {
        json_t *rules = lg_out_array();
        for (size_t i = 0; lg_rules[i] != NULL; i++) {
            if (lg_check_missing(report, kind, i))
                lg_out_append(rules, lg_out_str(lg_str_of(lg_rules[i]->id)));
        }
        if (json_array_size(rules) == 0) {
            json_decref(rules);
            continue;
        }
        json_t *row = lg_out_object();
        lg_out_set_str(row, "kind", lg_str_of(lg_gvk(kind)->kind));
        lg_out_set(row, "rules", rules);
        lg_out_append(list, row);
    }
    return list;
}

static void end(struct lg_check_report *report)
{
    struct lg_buf buf lg_cleanup(lg_buf_done) = {0};
    json_t *not_given = not_given_json(report);
    json_t *summary = lg_out_object();

    set_count(summary, "objects", report->objects);
    set_count(summary, "deny", report->deny);
    set_count(summary, "warn", report->warn);
    set_count(summary, "pending", report->pending);
    lg_buf_puts(&buf, report->objects != 0 ? "\n ],\n \"summary\":" : "],\n \"summary\":");
    lg_out_text(summary, 0, &buf);
    lg_buf_puts(&buf, ",\n \"notGiven\":");
    lg_out_text(not_given, 0, &buf);
    lg_buf_puts(&buf, "}\n");
    json_decref(not_given);
    json_decref(summary);
    lg_output_flush(report->out, &buf);
}

const struct lg_check_format lg_check_json = {begin, item, end};
