#!/bin/bash
# livegate rules, policy and version; README's table of rules is what `livegate rules --output markdown` prints.
#   tests/integration/rules.sh BUILD_DIRECTORY            the test
#   tests/integration/rules.sh BUILD_DIRECTORY --update   writes the table into README.md
set -uo pipefail
build=${1:?usage: tests/integration/rules.sh BUILD_DIRECTORY [--update]}
livegate=$(realpath "$build")/livegate
cd "$(dirname "$0")/../.."
. tests/support/shell.sh

# The lines between the markers.
readme_block() {
    sed -n '/^<!-- rules:begin -->$/,/^<!-- rules:end -->$/p' README.md | sed '1d;$d'
}

if [ "${2-}" = --update ]; then
    "$livegate" rules --output markdown >"$work/table" || exit 1
    sed '/^<!-- rules:begin -->$/,/^<!-- rules:end -->$/{
        /^<!-- rules:begin -->$/r '"$work/table"'
        /^<!-- rules:\(begin\|end\) -->$/!d
    }' README.md >"$work/README.md" && cat "$work/README.md" >README.md
    exit
fi

run "$livegate" rules --output markdown
expect_status 0
table=$out
expect_eq "README.md has both markers" 2 "$(grep -cE '^<!-- rules:(begin|end) -->$' README.md)"
expect_eq "README's table of rules (mend it with $0 $build --update)" "$table" "$(readme_block)"

ids="LG101 LG102 LG103 LG104 LG105 LG201 LG202 LG203 LG204 LG401 LG402 LG403 LG404 LG405 LG406 LG601 LG602 LG603 LG604 LG605 LG606"
run "$livegate" rules
expect_status 0
for id in $ids; do
    expect_in "$id" "$out"
    expect_in "| $id |" "$table"
done
expect_not_in $'\033' "$out"
expect_eq "rules are listed in the order of their ids" "$(sed 1d <<<"$out" | cut -c1-5 | sort)" \
    "$(sed 1d <<<"$out" | cut -c1-5)"

run "$livegate" rules --output json
expect_status 0
list=$out
expect_eq "kind of the list" "livegate.io/v1 RuleList" "$(jq -r '.apiVersion + " " + .kind' <<<"$list")"
for id in $ids; do
    expect_eq "$id has what a reader needs" true "$(jq --arg id "$id" '
        [.rules[] | select(.id == $id) | .name, .title, .action, .rationale, .remedy, .source | length > 0] |
        length == 6 and all' <<<"$list")"
done
expect_eq "LG202's ports" "[49152,49153]" \
    "$(jq -c '.rules[] | select(.id == "LG202") | .parameters[] | select(.name == "ports") | .default' <<<"$list")"

for id in $ids; do
    run "$livegate" rules "$id"
    expect_status 0
    for part in "$id " "what: " "about: " "default: " "why: " "how to fix: " "source: " "examples:"; do
        expect_in "$part" "$out"
    done
done
# Every rule shows all of its examples, in every format.
for id in $(jq -r '.rules[].id' <<<"$list"); do
    expect_eq "$id has examples that allow and that do not" true "$(jq --arg id "$id" '.rules[] | select(.id == $id) |
        .examples | any(.expect == "allow") and any(.expect != "allow") and all(.name != "" and .object != "")' <<<"$list")"
    run "$livegate" rules "$id"
    text=$out
    run "$livegate" rules "$id" --output markdown
    expect_in "## $id " "$out"
    while IFS= read -r name; do
        expect_in "    $name: " "$text"
        expect_in "$name: **" "$out"
    done < <(jq -r --arg id "$id" '.rules[] | select(.id == $id) | .examples[].name' <<<"$list")
done
run "$livegate" rules LG501
expect_in "      evictionStrategy: LiveMigrate" "$out"
expect_in "        # in a cluster with" "$out"
expect_eq "no line is wider than a terminal, but for YAML" "" "$(sed '/^examples:/,$d' <<<"$out" | awk 'length > 96')"
run "$livegate" rules claim-not-shared
expect_status 0
expect_in "LG101 claim-not-shared" "$out"
run "$livegate" rules lg201 LG101
expect_status 0
expect_eq "explained in the order asked for" "LG201 LG101" \
    "$(grep -oE '^LG[0-9]+' <<<"$out" | xargs)"

run "$livegate" rules LG20
expect_status 2
expect_in 'there is no rule "LG20"; did you mean "LG20' "$err"
run "$livegate" rules claim-not-sharde
expect_status 2
expect_in 'did you mean "claim-not-shared"?' "$err"
run "$livegate" rules --output yaml
expect_status 2
expect_in '--output is table, json or markdown, not "yaml"' "$err"

# --- policy ---
cat >"$work/policy.yaml" <<'YAML'
apiVersion: livegate.io/v1
kind: Policy
mode: observe
rules:
  LG202: {action: warn, ports: [49152]}
YAML
run "$livegate" policy "$work/policy.yaml"
expect_status 0
expect_in "observe" "$out"
expect_in "LG202" "$out"
sed -i 's/LG202/LG999/' "$work/policy.yaml"
run "$livegate" policy "$work/policy.yaml"
expect_status 3
expect_one_line "$err"
expect_in "$work/policy.yaml:5:3" "$err"
expect_in "LG999" "$err"
run "$livegate" policy "$work/absent.yaml"
expect_status 3
expect_one_line "$err"
expect_in "$work/absent.yaml" "$err"
run "$livegate" policy
expect_status 2
run "$livegate" policy "$work/policy.yaml" "$work/policy.yaml"
expect_status 2

# --- the command line as a whole ---
run "$livegate" version
expect_status 0
expect_in "livegate " "$out"
run "$livegate" --version
expect_status 0
run "$livegate"
expect_status 2
expect_in "Usage: livegate COMMAND" "$err"
for command in check rules policy version; do
    run "$livegate" --help
    expect_status 0
    expect_in "  $command " "$out"
    run "$livegate" "$command" --help
    expect_status 0
    expect_in "Usage: livegate $command" "$out"
    run "$livegate" "$command" --nonsense
    expect_status 2
done
run "$livegate" chekc
expect_status 2
expect_eq "what stderr says" 'livegate: there is no command "chekc"; did you mean "check"?' "$err"
run "$livegate" $'\033[31m'
expect_status 2
expect_not_in $'\033' "$err"
run bash -c '"$0" rules >/dev/full' "$livegate"
expect_status 4
expect_one_line "$err"

finish
