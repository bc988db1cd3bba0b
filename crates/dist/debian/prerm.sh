case "$1" in
    remove)
        # On an upgrade the entry stays, with the old file, until the new package replaces it.
        if ! is_foreign >/dev/null; then
            if [ -e "/var/lib/binfmts/$name" ] && command -v update-binfmts >/dev/null; then
                update-binfmts --unimport "$name" || true
            fi
            raemu-binfmt unregister --persistent --name "$name" >/dev/null 2>&1 || true
            # What could not be enabled beside this one.
            for other in $(others); do
                update-binfmts --enable "$other" >/dev/null 2>&1 || true
            done
        fi
        ;;
    upgrade | deconfigure | failed-upgrade) ;;
    *)
        echo "prerm called with unknown argument '$1'" >&2
        exit 1
        ;;
esac
