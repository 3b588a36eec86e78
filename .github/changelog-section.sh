#!/usr/bin/env bash
# Prints what the changelog says about one version, without the heading.
#
#   changelog-section.sh VERSION [FILE]
set -euo pipefail

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

version=${1:-}
[[ -n $version && $# -le 2 ]] || fail 'usage: changelog-section.sh VERSION [FILE]'
file=${2:-$(dirname "$0")/../CHANGELOG.md}
[[ -r $file ]] || fail "$file cannot be read"
heading="## [$version]"

# What comes after the bracket is the date, or nothing: "## [1.2.0] - 2030-01-31".
# Passed by the environment, because awk reads backslashes in -v.
heading=$heading awk '
    BEGIN { heading = ENVIRON["heading"] }
    { sub(/\r$/, "") }
    index($0, heading) == 1 && substr($0, length(heading) + 1) ~ /^( |$)/ { found = 1 }
    END { exit !found }
' "$file" || fail "$(basename "$file") has no section $heading"

section=$(heading=$heading awk '
    BEGIN { heading = ENVIRON["heading"] }
    { sub(/\r$/, "") }
    index($0, "## ") == 1 {
        inside = index($0, heading) == 1 && substr($0, length(heading) + 1) ~ /^( |$)/
        next
    }
    # The targets of links stand at the end of the file, and belong to no section.
    /^\[[^]]+\]: / { next }
    inside && (text || NF) { text = text $0 "\n" }
    END { printf "%s", text }
' "$file")
[[ -n $section ]] || fail "$(basename "$file") says nothing in its section $heading"
printf '%s\n' "$section"
