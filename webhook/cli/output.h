/* How a check is shown: as lines for people, or as one CheckReport in JSON.
 *
 * A report is written while it is made, one object after the other, so that its size does not
 * depend on how many there are. Nothing depends on locale or width of the terminal; colours only
 * where the caller says so. One thread.
 */
#ifndef LG_WEBHOOK_CLI_OUTPUT_H
#define LG_WEBHOOK_CLI_OUTPUT_H

#include <stdio.h>

#include "rules/core/out.h"
#include "rules/engine.h"
#include "rules/manifest.h"

enum { LG_OUTPUT_COLUMNS = 96, LG_OUTPUT_NODES_MAX = 100, LG_OUTPUT_NAMES_MAX = 8 };

enum lg_color { LG_COLOR_BOLD, LG_COLOR_RED, LG_COLOR_YELLOW, LG_COLOR_CYAN, LG_COLOR_GREEN };

/* One judged object. */
struct lg_check_item {
    const struct lg_manifest_object *source;
    struct lg_val object; /* what was judged: source's, or a copy with the API server's defaults */
    struct lg_str ns, name;
    const struct lg_judgement *judgement;
};

struct lg_check_report {
    FILE *out;
    const struct lg_inventory *inventory;
    bool color, explain, verbose;
    struct lg_arena arena; /* for one object at a time */
    /* what was counted so far */
    size_t objects, others;     /* judged; of kinds that no rule judges */
    size_t deny, warn, pending; /* objects by verdict */
    size_t unsettled;           /* objects with a pending finding, whatever their verdict */
    bool *missing; /* LG_KIND_COUNT x rules: this rule needed a kind that was not given */
};

/* The three calls of a format: begin, item for each object, end. */
struct lg_check_format {
    void (*begin)(struct lg_check_report *report);
    void (*item)(struct lg_check_report *report, const struct lg_check_item *item);
    void (*end)(struct lg_check_report *report);
};
extern const struct lg_check_format lg_check_table, lg_check_json;

void lg_check_report_init(struct lg_check_report *report, FILE *out,
                          const struct lg_inventory *inventory);
void lg_check_report_done(struct lg_check_report *report);

/* Counts the object's verdict and the kinds that its pending findings miss. */
void lg_check_report_count(struct lg_check_report *report, const struct lg_judgement *judgement);

/* True when the finding only says that a kind was not given at all: said once, at the end. */
bool lg_check_not_given(const struct lg_check_report *report, const struct lg_finding *finding);

/* True when rule `rule` (its index) needed a kind that was not given. */
bool lg_check_missing(const struct lg_check_report *report, enum lg_kind kind, size_t rule);

/* The object's own words, or, for an item of a VirtualMachineList that leaves them out, what its
 * list implies. */
struct lg_str lg_check_api_version(struct lg_check_report *report,
                                   const struct lg_check_item *item);
struct lg_str lg_check_kind(const struct lg_check_item *item);

/* The line of a value: its own, or the object's where it stands elsewhere. */
uint32_t lg_check_line(const struct lg_check_item *item, struct lg_val at);

/* The verdict's name; "allow" where there is nothing to say. */
const char *lg_check_verdict(const struct lg_judgement *judgement);

/* What to say of an object to which policy objects nothing: a guest that cannot move is not called
 * movable because policy tolerates it. */
const char *lg_output_tolerated(const struct lg_judgement *judgement, bool guest);

/* One node's answer. */
struct lg_check_place {
    const struct lg_node *node;
    enum lg_place place;
    struct lg_str reason; /* of an away or excluded one */
    bool source;          /* the guest runs there, and is to leave */
};
/* All nodes in the order of their names, in the report's arena; false where the question does not
 * arise or nodes are not known. O(nodes log nodes). */
bool lg_check_places(struct lg_check_report *report, const struct lg_check_item *item,
                     struct lg_check_place **ret_places, size_t *ret_n);

/* A finding as reports show it, given; `action` is the one to show, line 0 = it has none. */
json_t *lg_output_finding(const struct lg_finding *finding, enum lg_action action, uint32_t line);

/* True when `out` is a terminal and the user did not set NO_COLOR. */
bool lg_output_color(FILE *out);

/* Appends `text` in the colour, or plain. */
void lg_output_paint(struct lg_buf *buf, bool color, enum lg_color which, const char *text);

/* Appends `text` behind `lead`, printable, broken at blanks before LG_OUTPUT_COLUMNS; further lines
 * begin with as many blanks as `lead` has characters. Ends with a line feed. */
void lg_output_wrap(struct lg_buf *buf, const char *lead, struct lg_str text);

/* Writes the buffer to `out` and empties it. */
void lg_output_flush(FILE *out, struct lg_buf *buf);

#endif
