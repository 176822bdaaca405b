#!/usr/bin/env bash
# github.com/tsenart/vegeta v12.13.0: vegeta plot draws nothing, without a word, of an attack whose results are not numbered 0, 1, 2 and so on.
#
# A result has a name of its attack and a sequence number, and vegeta plot draws each attack as series of its own. Where the results of one run are
# given names by what they asked for, the numbers of one name have gaps. The plot keeps whatever comes behind a gap for the missing number,
# which never comes: of the name that holds number 0 it draws the results up to the first gap, of the others none. vegeta report counts all.
# Seen: four results a, b, a, b: one point of a, none of b; numbered within each name: two and two.
# Whoever writes results for it numbers them within each attack, in the order of their times.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
GOBIN="$dir" go install github.com/tsenart/vegeta/v12@v12.13.0 2>/dev/null
result() { echo '{"attack":"'"$1"'","seq":'"$2"',"code":200,"timestamp":"2026-01-01T00:00:0'"$3"'Z","latency":1000000,"bytes_out":0,"bytes_in":0,"error":"","body":null,"method":"GET","url":"http://x/","headers":null}'; }
{ result a 0 0; result b 1 1; result a 2 2; result b 3 3; } > shared.json
{ result a 0 0; result b 0 1; result a 1 2; result b 1 3; } > own.json
for file in shared.json own.json; do
  ./vegeta plot "$file" > page.html
  rows=$(sed -n '/const rowData = /,/;/p' page.html | tr -d ' ' | grep -o '\[[0-9][^]]*\]')
  echo "$file: plot $(grep -c ',[0-9]*,null\]' <<< "$rows" || true) of a, $(grep -c ',null,[0-9]*\]' <<< "$rows" || true) of b; report $(./vegeta report --type=json "$file" | grep -o '"requests":[0-9]*')"
done | tee seen
[ "$(cat seen)" = 'shared.json: plot 1 of a, 0 of b; report "requests":4
own.json: plot 2 of a, 2 of b; report "requests":4' ]
