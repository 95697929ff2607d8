/* Reading a policy's text: what the parts of the parser share. Only rules/policy*.c look inside.
 *
 * Every reader answers false behind an error with its place, so that `return a && b` reads on only
 * while all is well. One parser a text, on one thread; what comes of it is shared once it is whole
 * (policy.h).
 */
#ifndef LG_RULES_POLICY_READ_H
#define LG_RULES_POLICY_READ_H

#include "rules/policy_data.h"

enum { LG_NAME_SHOWN_MAX = 48, LG_NEAREST_NONE = 255 };

struct lg_policy_parser {
    struct lg_policy *policy;
    struct lg_arena *arena; /* the policy's */
    const char *file;
    struct lg_err *err;
};

/* The known name that is nearest to what was written; start with edits = LG_NEAREST_NONE. */
struct lg_nearest {
    struct lg_str wanted;
    const char *name;
    unsigned edits;
};
void lg_nearest_consider(struct lg_nearest *nearest, const char *name);
/* "; did you mean \"x\"?" where something is near enough to be meant, else "". */
struct lg_str lg_nearest_suggestion(const struct lg_nearest *nearest, struct lg_arena *arena);

/* Sets the error at `at`. Always false. */
bool lg_policy_fail(const struct lg_policy_parser *parser, enum lg_err_code code, struct lg_val at,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Where the iterator's key stands. */
struct lg_val lg_policy_key_at(const struct lg_json_iter *it);

bool lg_policy_want(const struct lg_policy_parser *parser, struct lg_val v, enum lg_json_kind kind,
                    const char *what, const char *expected);
/* True when every key of the object is one of `keys` (NULL-terminated). */
bool lg_policy_only_keys(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                         const char *const *keys);
/* A list of at least one and at most `max` items. */
bool lg_policy_want_list(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                         size_t max);
bool lg_policy_want_text(const struct lg_policy_parser *parser, struct lg_val v, const char *what);

/* `rules` of the policy or of an entry, merged into the set: `*` first, then each rule's keys.
 * Absent: nothing. */
bool lg_policy_read_rules(const struct lg_policy_parser *parser, struct lg_val v,
                          struct lg_policy_set *set);
/* The rule that the iterator's key names: an error where there is none, or where `seen` (by rule
 * index) has it already. */
bool lg_policy_rule_at(const struct lg_policy_parser *parser, const struct lg_json_iter *it,
                       bool *seen, size_t *ret_index);
/* `mutate` of the policy or of an entry, merged into the set rule by rule. Absent: nothing. */
bool lg_policy_read_mutate(const struct lg_policy_parser *parser, struct lg_val v,
                           struct lg_policy_set *set);
/* `limiter`. Absent: nothing. */
bool lg_policy_read_limiter(const struct lg_policy_parser *parser, struct lg_val v);
bool lg_policy_read_mode(const struct lg_policy_parser *parser, struct lg_val v,
                         enum lg_policy_mode *ret);
/* A list of rule ids and names, or "*" for all, as flags by rule index. */
bool lg_policy_read_rule_list(const struct lg_policy_parser *parser, struct lg_val v,
                              const char *what, const bool **ret, bool *ret_all);
/* deny, warn, audit or off. */
bool lg_policy_read_action(const struct lg_policy_parser *parser, struct lg_val v,
                           enum lg_action *ret);

/* A pattern that matches whole names of `of`: namespaces, or objects. */
enum lg_pattern_of { LG_PATTERN_OF_NAMESPACE, LG_PATTERN_OF_NAME };
bool lg_policy_read_pattern(const struct lg_policy_parser *parser, struct lg_val v,
                            enum lg_pattern_of of, struct lg_pattern *ret);
/* A list of them, each once. */
bool lg_policy_read_patterns(const struct lg_policy_parser *parser, struct lg_val v,
                             const char *what, enum lg_pattern_of of, struct lg_patterns *ret);
/* A list of at most LG_POLICY_TEXTS_MAX whole strings, each once. */
bool lg_policy_read_texts(const struct lg_policy_parser *parser, struct lg_val v, const char *what,
                          const char *item, struct lg_str **ret, size_t *ret_n);
/* A label selector, kept as a text of its own without escapes: documents with escapes cannot be
 * read by many threads. */
bool lg_policy_read_selector(const struct lg_policy_parser *parser, struct lg_val v,
                             struct lg_val *ret);

/* Parts of a set, or nothing where they are absent. */
bool lg_policy_read_opt_out(const struct lg_policy_parser *parser, struct lg_val v,
                            struct lg_policy_set *set);
bool lg_policy_read_placement(const struct lg_policy_parser *parser, struct lg_val v,
                              struct lg_policy_set *set);
bool lg_policy_read_claims(const struct lg_policy_parser *parser, struct lg_val v,
                           struct lg_policy_set *set);

/* `namespaces`, over what holds everywhere; `exempt`; `exceptions`. */
bool lg_policy_read_namespaces(const struct lg_policy_parser *parser, struct lg_val v);
bool lg_policy_read_exempt(const struct lg_policy_parser *parser, struct lg_val v);
bool lg_policy_read_exceptions(const struct lg_policy_parser *parser, struct lg_val v);

#endif
