# A shell's usual work without children: arithmetic, arrays, strings, functions, one subshell now and then.
declare -A seen
text=
for ((i = 0; i < 30000; i++)); do
    ((x = (x * 31 + i) % 65537))
    seen[$((x % 500))]=$i
    [[ $x == *7 ]] && text+=7
done
count() { local n=0 w; for w in "$@"; do case $w in *1*) ((n++)) ;; esac; done; echo "$n"; }
for i in {1..20}; do total=$((total + $(count {1..200}))); done
echo "$x ${#seen[@]} ${#text} $total ${text//77/1}" | cut -c1-100
