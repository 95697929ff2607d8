/* The conformance program: one function a corpus, chosen by the file's name.
 *
 * A corpus file holds one JSON object a line: inputs, and the answer that upstream's own code gave
 * (README of the corpora in tests/conformance). A row's function answers for one row; the program
 * counts and prints. One thread.
 */
#ifndef LG_TESTS_CONFORMANCE_H
#define LG_TESTS_CONFORMANCE_H

#include "rules/core/json.h"

enum conformance_result { CONFORMANCE_PASSED, CONFORMANCE_FAILED };

/* Judges one row. On FAILED it appends what was expected and what came. `arena` is reset behind
 * each row. */
typedef enum conformance_result conformance_row(struct lg_val row, struct lg_arena *arena,
                                                struct lg_buf *expected, struct lg_buf *got);

struct conformance_corpus {
    const char *name; /* of the file, without ".jsonl" */
    conformance_row *row;
};

extern const struct conformance_corpus conformance_migratability;
extern const struct conformance_corpus conformance_placement;
extern const struct conformance_corpus conformance_quantity;
extern const struct conformance_corpus conformance_storage;
extern const struct conformance_corpus conformance_yaml;

#endif
