# The entry of package @PACKAGE@.
name=@ENTRY@

# The kernel's table is the host's, not ours to change: in a chroot, and in a container (WSL, which calls itself one,
# aside).
is_foreign() {
    if command -v ischroot >/dev/null && ischroot -t; then
        echo "@PACKAGE@: in a chroot"
        return 0
    fi
    if command -v systemd-detect-virt >/dev/null; then
        case "$(systemd-detect-virt --container || true)" in
            none | wsl | '') ;;
            *)
                echo "@PACKAGE@: in a container"
                return 0
                ;;
        esac
    elif [ -e /.dockerenv ] || [ -e /run/.containerenv ] || grep -zqs '^container=' /proc/1/environ; then
        echo "@PACKAGE@: in a container"
        return 0
    fi
    return 1
}

# Formats of update-binfmts for the same programs, ours aside.
others() {
    grep -lsF '\x02\x00\xb7\x00' /var/lib/binfmts/* | while read -r file; do
        [ "$file" = "/var/lib/binfmts/$name" ] || basename "$file"
    done
}
