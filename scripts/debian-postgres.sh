#!/bin/sh
# Unpacks a PostgreSQL that Debian has only in its experimental suite into a directory, with the
# libraries that it needs. Nothing is installed. It says in one line why it cannot.
#
#   debian-postgres.sh MAJOR DIRECTORY
set -eu
# shellcheck source=scripts/common.sh
. "$(dirname -- "$0")/common.sh"

major=$1
target=$2

give_up() {
    say "There is no PostgreSQL $major here: $1."
    exit 1
}

for tool in apt-get apt-cache dpkg dpkg-deb; do
    has "$tool" || give_up "only Debian's experimental suite has it, and there is no $tool"
done

# The mirror of this machine.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -nE 's#^(URIs:|deb( \[[^]]*\])?) *([^ ]+/debian)/?( .*)?$#\3#p' | head -n 1)
[ -n "$mirror" ] || give_up "only Debian's experimental suite has it, and apt has no mirror of Debian"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || give_up "Debian's keyring is not at $keyring"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/none" "$work/packages"
: >"$work/status"
for suite in sid experimental; do
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite"
done >"$work/sources"
# apt with lists of its own: the machine's stay as they are.
cat >"$work/configuration" <<CONFIGURATION
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::SourceList "$work/sources";
Dir::Etc::SourceParts "$work/none";
Dir::Etc::Preferences "$work/preferences";
Dir::Etc::PreferencesParts "$work/none";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONFIGURATION
export APT_CONFIG="$work/configuration"

apt-get -qq update >"$work/log" 2>&1 || give_up "the mirror of Debian does not have the suites sid and experimental"
apt-cache show "postgresql-$major" >/dev/null 2>&1 || give_up "Debian's experimental suite does not have it"

# The libraries, level by level. Other packages, such as scripts that set up servers, are not needed.
from_experimental="postgresql-$major postgresql-client-$major libpq5"
libraries=
level=$from_experimental
while [ -n "$level" ]; do
    # shellcheck disable=SC2086 # a list of names
    found=$(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances $level | sed -nE 's/^ *(Pre)?Depends: (lib[^ <>]+)$/\2/p' | sort -u)
    level=
    for name in $found; do
        case " $from_experimental $libraries " in
            *" $name "*) ;;
            *)
                libraries="$libraries $name"
                level="$level $name"
                ;;
        esac
    done
done
say "Fetching PostgreSQL $major from Debian's experimental suite."
wanted=$libraries
for name in $from_experimental; do
    wanted="$wanted $name/experimental"
done
# shellcheck disable=SC2086 # a list of names
(cd "$work/packages" && apt-get -qq download $wanted) >"$work/log" 2>&1 ||
    give_up "its packages cannot be fetched ($(tail -n 1 "$work/log"))"

rm -rf "$target.new"
mkdir -p "$target.new"
for package in "$work/packages"/*.deb; do
    dpkg-deb -x "$package" "$target.new"
done

# The programs need a newer C library than this machine's, so each is started through its loader. The
# programs find their files relative to their own, which is why the directories stay as they are.
home=usr/lib/postgresql/$major
loader=$(cd "$target.new" && find usr/lib* lib* -name 'ld-linux*.so.*' 2>/dev/null | head -n 1)
[ -n "$loader" ] || give_up "its packages have no loader for programs"
libraries=$target/$(cd "$target.new" && find usr/lib lib -name 'libc.so.6' 2>/dev/null | head -n 1)
mv "$target.new/$home/bin" "$target.new/$home/programs"
mkdir "$target.new/$home/bin"
for program in "$target.new/$home/programs"/*; do
    name=$(basename -- "$program")
    printf '#!/bin/sh\nexec "%s" --library-path "%s" --argv0 "%s" "%s" "$@"\n' "$target/$loader" \
        "$(dirname -- "$libraries")" "$target/$home/bin/$name" "$target/$home/programs/$name" \
        >"$target.new/$home/bin/$name"
done
ln -s "$home/bin" "$target.new/bin"
chmod -R a+rX "$target.new"
chmod a+x "$target.new/$home/bin"/*
rm -rf "$target"
mv "$target.new" "$target"
as_server "$target/bin/postgres" --version >/dev/null 2>&1 || {
    rm -rf "$target"
    give_up 'that of the experimental suite does not run on this machine'
}
