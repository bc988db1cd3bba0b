interpreter=@INTERPRETER@

# By the means that will do it at the next boot, so that both agree.
register() {
    if [ -d /run/systemd/system ]; then
        for command in /usr/lib/systemd/systemd-binfmt /lib/systemd/systemd-binfmt; do
            # It replaces an entry of this name and leaves the others.
            if [ -x "$command" ] && "$command" "$name.conf"; then
                return 0
            fi
        done
    elif command -v update-binfmts >/dev/null; then
        # An entry that is enabled would keep the old file open.
        update-binfmts --unimport "$name" >/dev/null 2>&1 || true
        if update-binfmts --import "$name" 2>/dev/null && [ -e "/proc/sys/fs/binfmt_misc/$name" ]; then
            return 0
        fi
        # It enables one format with flag F for the same programs; another package's keeps its place.
        update-binfmts --unimport "$name" >/dev/null 2>&1 || true
        if [ -n "$(others)" ]; then
            echo "@PACKAGE@: update-binfmts has $(others) for arm64 programs: registered until the next boot only"
        fi
    fi
    raemu-binfmt register --name "$name" --interpreter "$interpreter"
}

case "$1" in
    configure | abort-remove)
        if is_foreign; then
            echo "@PACKAGE@: arm64 programs not registered with the kernel ('raemu-binfmt register' does it)"
        elif ! register; then
            echo "@PACKAGE@: could not register arm64 programs with the kernel ('raemu-binfmt doctor' says why)"
        fi
        ;;
    abort-upgrade | abort-deconfigure) ;;
    *)
        echo "postinst called with unknown argument '$1'" >&2
        exit 1
        ;;
esac
