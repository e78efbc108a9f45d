#!/usr/bin/env bash
# Makes two collections in BEIR's layout, to measure how useful a search is to a person who tries it:
#
#   packages   one-line descriptions of 20,000 packages of Debian, from this machine's lists of packages (apt-get update),
#              in the order of the descriptions' MD5 sums; libraries and modules of programming languages are left out.
#              The 25 queries were written and judged (judgements.tsv: query, tab, names of packages) before any search
#              was run: by regular expressions over all descriptions, then by hand. Packages that a release of Debian
#              lacks, or that are not among the 20,000, are dropped. A package that nobody judged counts as not relevant.
#   builtin    the built-in corpus, and the 24 queries that came with its model: each has one entry that it describes.
#
# Usage: jmh/usefulness/make.sh DIR; then for example: ./sgpt eval --data DIR/packages DIR/builtin --mode bm25 --cutoffs 5,10
set -euo pipefail
[ $# = 1 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$1
mkdir -p "$out/packages/qrels" "$out/builtin/qrels"

# Section by section: what a person would look for, not what a programmer links with.
apt-cache dumpavail | awk '
    /^Package: /         { name = $2; about = ""; section = ""; sum = "" }
    /^Description: /     { about = substr($0, 14) }
    /^Description-md5: / { sum = $2 }
    /^Section: /         { section = $2 }
    /^$/ {
        if (about != "" && section !~ /^(libdevel|debug|oldlibs|localization|metapackages|libs|kernel|doc|perl|haskell|rust|golang|ruby|ocaml|lisp|php|cli-mono|javascript|introspection|tasks|gnu-r|zope)$/)
            print sum "\t" name "\t" about
    }' | LC_ALL=C sort -t"$(printf '\t')" -k1,1 -k2,2 | awk -F'\t' '!seen[$3]++ && ++n <= 20000' >"$out/packages/chosen.tsv"
[ "$(wc -l <"$out/packages/chosen.tsv")" = 20000 ] || { echo "expected 20,000 packages in apt's lists" >&2; exit 1; }

awk -F'\t' '
    function text(t) { gsub(/\\/, "\\\\", t); gsub(/"/, "\\\"", t); gsub(/[[:cntrl:]]/, " ", t); return "\"" t "\"" }
    { print "{\"_id\": " text($2) ", \"title\": " text($2) ", \"text\": " text($3) "}" }
' "$out/packages/chosen.tsv" >"$out/packages/corpus.jsonl"
awk -F'\t' '{ print "{\"_id\": \"" NR "\", \"text\": \"" $1 "\"}" }' "$here/judgements.tsv" >"$out/packages/queries.jsonl"
awk -F'\t' '
    BEGIN { print "query-id\tcorpus-id\tscore" }
    NR == FNR { have[$2] = 1; next }
    { n = split($2, names, " "); for (i = 1; i <= n; i++) if (names[i] in have) print FNR "\t" names[i] "\t1" }
' "$out/packages/chosen.tsv" "$here/judgements.tsv" >"$out/packages/qrels/test.tsv"
rm "$out/packages/chosen.tsv"

cp "$here/../../src/nano/src/main/resources/META-INF/sgpt4j/nano/corpus.jsonl" "$out/builtin/corpus.jsonl"
queries=$here/../../src/cli/src/test/resources/nano/queries.tsv
awk -F'\t' 'NR > 1 { print "{\"_id\": \"" NR - 1 "\", \"text\": \"" $1 "\"}" }' "$queries" >"$out/builtin/queries.jsonl"
# An entry is found by its lemma, one of those in its title.
awk -F'\t' '
    NR == FNR { if (FNR > 1) { want[FNR - 1] = $2; count = FNR - 1 } next }
    FNR == 1 { print "query-id\tcorpus-id\tscore" }
    {
        split($0, part, "\"");
        id = part[4]; title = part[8]
        n = split(title, lemma, ", ")
        for (q = 1; q <= count; q++) for (i = 1; i <= n; i++) if (lemma[i] == want[q]) print q "\t" id "\t1"
    }
' "$queries" "$out/builtin/corpus.jsonl" >"$out/builtin/qrels/test.tsv"
