# Takes what `{:?}` would print away from every struct that holds what signs somebody in: cornucopia derives Debug for
# all of them.

/^#\[derive\(Debug/ {
    derive = $0
    body = ""
    inside = 1
    next
}

inside {
    body = body $0 "\n"
    if ($0 != "}")
        next
    inside = 0
    if (body !~ /\n +pub (access_token|id_token|password|refresh_token|token|value): /) {
        printf "%s\n%s", derive, body
        next
    }
    sub(/Debug, /, "", derive)
    if (derive !~ /Debug/)
        print derive
    printf "%s", body

    name = body
    sub(/^pub struct /, "", name)
    sub(/[^A-Za-z0-9].*/, "", name)
    generics = body
    sub(/^pub struct [A-Za-z0-9]+/, "", generics)
    sub(/ \{\n.*/, "", generics)
    arguments = generics
    gsub(/: crate::[A-Za-z]+/, "", arguments)
    printf "impl%s std::fmt::Debug for %s%s {\n", generics, name, arguments
    printf "    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\n"
    printf "        f.debug_struct(\"%s\").finish_non_exhaustive()\n    }\n}\n", name
    next
}

{ print }
