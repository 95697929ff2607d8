/* What a fixer is: the part of a rule that repairs what the rule finds.
 *
 * A fixer is a pure function, as a check is. It is called once where its rule found something and
 * describes the repair as edits of members of objects; the engine (mend.h) makes a patch of them,
 * and keeps it only where the result is provably better: the rule has no finding any more, and no
 * other one arose. Lists keep their items and their order: no edit adds, takes or moves one, so
 * that an index once read stays true. Fixers are constant data; any thread calls them, each with a
 * repair of its own.
 */
#ifndef LG_RULES_FIXER_H
#define LG_RULES_FIXER_H

#include "rules/finding.h"

struct lg_rule_context;
struct lg_repair; /* of one rule over one object; the engine's */
struct lg_vm;

enum lg_fixer_kind {
    LG_FIXER_ADDS,    /* what is missing: on CREATE */
    LG_FIXER_CHANGES, /* what the user wrote: on CREATE, and on UPDATE where it did so before */
    LG_FIXER_FILES,   /* only in files (`livegate check --fix`), never at admission */
};

struct lg_fixer {
    enum lg_fixer_kind kind;
    const char *acts;           /* when it acts and when not, for `livegate rules ID` */
    const char *option;         /* what policy can set beside it, or NULL */
    const char *option_doc;     /* or NULL */
    const char *const *choices; /* values of the option, the first is the default; ends with NULL */
    void (*mend)(struct lg_rule_context *context, struct lg_repair *repair);
    /* Also asked on UPDATE of what it mended where nothing is found any more: what came of its
     * repair (a claim) may be why, and the same file, applied again, is to change nothing. See
     * lg_repair_old. */
    bool lasts;
};

/* The member `key` of `object` becomes `json` (text), whether it is there or not. The same edit
 * twice counts once. */
void lg_repair_set(struct lg_repair *repair, struct lg_val object, const char *key,
                   struct lg_str json);
/* The member `key` of `object` becomes the member `to` with the value `json`. */
void lg_repair_rename(struct lg_repair *repair, struct lg_val object, const char *key,
                      const char *to, struct lg_str json);

/* The name of a list's item on the way to an edit: the patch tests it. A name that is absent or not
 * plain ASCII ends the repair: API servers compare such texts in different ways, and a failing test
 * is an error to the user. */
void lg_repair_read(struct lg_repair *repair, struct lg_str about, struct lg_val name);

/* What was done, for the warning; `about` is the finding's: "interface \"default\": masquerade in
 * place of bridge". Borrowed. */
void lg_repair_say(struct lg_repair *repair, struct lg_str about, struct lg_str what);
/* The finding about `about` is not mended, and why: "the class offers no ReadWriteMany".
 * Borrowed. */
void lg_repair_cannot(struct lg_repair *repair, struct lg_str about, struct lg_str why);

/* The guest with what its instancetype and its preference bring; the subject's is what the user
 * wrote. Borrowed. */
const struct lg_vm *lg_repair_whole(const struct lg_repair *repair);

/* On UPDATE of what the rule's fixer mended: the object as it was; else LG_NONE. */
struct lg_val lg_repair_old(const struct lg_repair *repair);

/* The value of the fixer's option. */
struct lg_str lg_repair_choice(const struct lg_repair *repair);

#endif
