# Where the table was not ours to change, a file for the next boot may be left.
if [ "$1" = purge ] && grep -qs 'raemu-binfmt register --persistent' "/etc/binfmt.d/$name.conf"; then
    rm -f "/etc/binfmt.d/$name.conf"
fi
