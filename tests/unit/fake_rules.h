/* A small registry of its own for tests of the engine, the policy and the answer: fake_rules.c
 * defines `lg_rules`, so that the linker leaves the generated one out. A test that includes this is
 * linked with it (tests/CMakeLists.txt). Constant data but for the count; one thread.
 *
 *   LG101  claims named "rwo-..." are not shared, "capped-..." are a warning at most; mended
 *   LG102  claims named "new-..." are not known
 *   LG104  every claim, never stronger than LG101; mended in files
 *   LG202  interfaces' ports of the list `ports`
 *   LG401  nodeSelector zone: nowhere leaves no node, zone: unknown cannot be judged, flood: 5000
 *          gives that many warnings
 *   LG402  nodeSelector zone: single leaves one node
 *   LG602  what the rules say of the VMI that a migration carries in an annotation
 */
#ifndef LG_TESTS_UNIT_FAKE_RULES_H
#define LG_TESTS_UNIT_FAKE_RULES_H

#include "rules/rule.h"

/* Checks that ran, of all rules. */
extern unsigned lg_fake_calls;

#endif
