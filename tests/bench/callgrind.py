"""Prints what a review costs in instructions, by its parts: from FOLDER/{floor,livegate}.REVIEW, as callgrind wrote them."""
import os
import re
import sys
from collections import defaultdict

PARTS = [  # what a person calls it, the function that does it
    ("reading the review: JSON", "lg_json_parse_doc"),
    ("reading the review: the envelope", "lg_review_decode"),
    ("the types of what rules read", "lg_shape_check"),
    ("the rules", "lg_run_all"),
    ("the old object: what is new", "lg_ratchet"),
    ("is anything new", "lg_json_equal"),
    ("the answer: texts", "lg_answer_make"),
    ("the answer: JSON", "lg_review_encode"),
    ("the line in the log", "lg_log_fields"),
]
RULES_SHOWN = 8


class Profile:
    """Costs by function; a rule's check is known by its file."""

    def __init__(self, path):
        self.names, self.files = {}, {}
        self.cost, self.calls = defaultdict(int), defaultdict(int)
        self.total = 0
        with open(path) as lines:
            self.read(lines)

    def known(self, text, table):
        number, name = re.match(r"\((\d+)\)(?: (.*))?$", text).groups()
        if name:
            table[number] = name
        return table[number]

    def function(self, text, file):
        name = self.known(text, self.names)
        return os.path.basename(file)[:-2] if name == "check" else name

    def read(self, lines):
        function = callee = file = callee_file = None
        for line in lines:
            key, _, value = line.rstrip().partition("=")
            if key == "fl":
                file = callee_file = self.known(value, self.files)
            elif key in ("fi", "fe"):
                self.known(value, self.files)
            elif key in ("cfi", "cfl"):
                callee_file = self.known(value, self.files)
            elif key == "fn":
                function, callee_file = self.function(value, file), file
            elif key == "cfn":
                callee, callee_file = self.function(value, callee_file), file
            elif key == "calls":
                self.calls[callee] += int(value.split()[0])
            elif line[0].isdigit() or line[0] in "+-*":
                self.add(function, callee, int(line.split()[1]))
                callee = None

    def add(self, function, callee, cost):
        self.cost[function] += cost
        if callee is None:
            self.total += cost


def main(folder, reviews):
    floor = [Profile(f"{folder}/floor.{r}") for r in reviews]
    ours = [Profile(f"{folder}/livegate.{r}") for r in reviews]
    n_floor = [p.calls["completed"] for p in floor]
    n = [p.calls["lg_reviewer_answer"] for p in ours]
    each = lambda name: [p.cost[name] / k for p, k in zip(ours, n)]
    row = lambda name, values: print("|", name, "|", " | ".join(values), "|")
    counts = lambda name, values: row(name, [f"{round(v):,}" if round(v) else "" for v in values])

    total = [(p.total - p.cost["lg_server_run"]) / k for p, k in zip(ours, n)]  # but for what is done every few seconds
    base = [p.total / k for p, k in zip(floor, n_floor)]
    row("instructions of a review", reviews)
    print("|---|" + "---|" * len(reviews))
    row("reviews that were counted", [str(k) for k in n])
    counts("all", total)
    counts("the floor", base)
    row("ratio", [f"{a / b:.1f}" for a, b in zip(total, base)])
    left = [a - b for a, b in zip(each("lg_routes_reviews"), each("lg_review_decode"))]
    for name, function in PARTS:
        values = each(function)
        if function == "lg_review_decode":
            values = [a - b for a, b in zip(values, each("lg_json_parse_doc"))]
        elif function != "lg_json_parse_doc":
            left = [a - b for a, b in zip(left, values)]
        counts(name, values)
        if function == "lg_run_all":
            rules = sorted((f for f in os.listdir("rules/builtin") if f.endswith(".c")),
                           key=lambda f: -max(each(f[:-2])))
            for rule in rules[:RULES_SHOWN]:
                counts(f"of them {rule}", each(rule[:-2]))
    counts("around it: policy, the inventory's pin, metrics, request and response", left)


main(sys.argv[1], sys.argv[2:])
