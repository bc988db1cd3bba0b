# Scenarios of installing the packages, each as the first process of a throw-away system. Argument: the scenario.
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:$PATH
table=/proc/sys/fs/binfmt_misc

install() { apt-get install --yes --no-install-recommends "$@"; }
ours=/packages/raemu-aarch64_*_amd64.deb
compat=/packages/raemu-qemu-compat_*_amd64.deb

fail() {
    echo "FAILED: $*"
    ls "$table"
    exit 1
}
has_entry() { [ -e "$table/$1" ] || fail "no entry $1"; }
has_no_entry() { [ ! -e "$table/$1" ] || fail "entry $1 is still there"; }
is_registered() {
    has_entry raemu-aarch64
    grep -qx 'interpreter /usr/libexec/raemu-binfmt/aarch64-binfmt-P' "$table/raemu-aarch64" || fail interpreter
    grep -qx 'flags: POCF' "$table/raemu-aarch64" || fail flags
}
# An untouched arm64 system, in which the emulator is not.
arm64_runs() { [ "$(chroot /arm64 /bin/uname -m)" = aarch64 ] || fail "arm64 programs do not run"; }
arm64_does_not_run() { ! chroot /arm64 /bin/true 2>/dev/null || fail "arm64 programs still run"; }
mount_binfmt_misc() { mount -t binfmt_misc none "$table"; }

# Neither systemd nor binfmt-support; binfmt_misc not mounted.
case_plain() {
    arm64_does_not_run
    install $ours
    is_registered
    arm64_runs
    raemu-binfmt doctor
    raemu-aarch64 --version
    # Over itself, as an upgrade: it stays registered, with the new file.
    dpkg --install $ours
    is_registered
    arm64_runs
    apt-get remove --yes raemu-aarch64
    has_no_entry raemu-aarch64
    arm64_does_not_run
    apt-get purge --yes raemu-aarch64
    for left in /usr/libexec/raemu-binfmt /usr/share/doc/raemu-aarch64 /usr/lib/binfmt.d/raemu-aarch64.conf; do
        [ ! -e "$left" ] || fail "$left is left"
    done
    [ -z "$(dpkg --audit)" ] || fail "dpkg --audit"
}

case_persistent_file_goes_with_the_package() {
    install $ours
    raemu-binfmt register --persistent
    [ -e /etc/binfmt.d/raemu-aarch64.conf ] || fail "no file for the next boot"
    apt-get remove --yes raemu-aarch64
    [ ! -e /etc/binfmt.d/raemu-aarch64.conf ] || fail "the file for the next boot is left"
    has_no_entry raemu-aarch64
}

case_update_binfmts() {
    mount_binfmt_misc
    install binfmt-support
    install $ours
    is_registered
    [ -e /var/lib/binfmts/raemu-aarch64 ] || fail "not known to update-binfmts"
    arm64_runs
    # What its service does at boot.
    update-binfmts --disable raemu-aarch64
    has_no_entry raemu-aarch64
    update-binfmts --enable raemu-aarch64
    is_registered
    dpkg --install $ours
    is_registered
    arm64_runs
    apt-get purge --yes raemu-aarch64
    has_no_entry raemu-aarch64
    [ ! -e /var/lib/binfmts/raemu-aarch64 ] || fail "still known to update-binfmts"
}

# systemd's own tool, on a machine that looks as if systemd ran it.
case_systemd() {
    mount_binfmt_misc
    install systemd
    mkdir -p /run/systemd/system
    install $ours
    is_registered
    arm64_runs
    echo -1 > "$table/raemu-aarch64"
    # What its service does at boot.
    for command in /usr/lib/systemd/systemd-binfmt /lib/systemd/systemd-binfmt; do
        if [ -x "$command" ]; then
            "$command"
            break
        fi
    done
    is_registered
    apt-get purge --yes raemu-aarch64
    has_no_entry raemu-aarch64
}

case_beside_qemu() {
    mount_binfmt_misc
    install binfmt-support qemu-user-static
    has_entry qemu-aarch64
    install $ours
    is_registered
    has_entry qemu-aarch64
    raemu-binfmt status
    # The newest entry is the one that counts: what it is called shows who runs.
    ps_of_arm64 | grep -q '^/usr/libexec/raemu-binfmt/aarch64-binfmt-P' || fail "another emulator runs arm64 programs"
    [ ! -e /var/lib/binfmts/raemu-aarch64 ] || fail "a format that cannot be enabled is left in update-binfmts"
    apt-get remove --yes raemu-aarch64
    has_entry qemu-aarch64
    has_no_entry raemu-aarch64
    ps_of_arm64 | grep -q '^/usr/libexec/qemu-binfmt/aarch64-binfmt-P' || fail "qemu does not run arm64 programs again"
}
# The command line of an arm64 program, as the host sees it.
ps_of_arm64() {
    chroot /arm64 /bin/sleep 20 &
    sleep 0.5
    tr '\0' ' ' < "/proc/$!/cmdline"
    kill $!
}

case_in_the_place_of_qemu() {
    mount_binfmt_misc
    install binfmt-support qemu-user-static
    install $ours $compat
    ! dpkg-query --show --showformat '${db:Status-Abbrev}' qemu-user-static | grep -q ^ii || fail "qemu-user-static is there"
    has_entry qemu-aarch64
    grep -qx 'interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P' "$table/qemu-aarch64" || fail interpreter
    for name in qemu-aarch64 qemu-aarch64-static qemu-arm64; do
        "$name" --version | grep -q raemu || fail "$name is not ours"
    done
    arm64_runs
    # And back.
    install qemu-user-static
    ! dpkg-query --show --showformat '${db:Status-Abbrev}' raemu-qemu-compat | grep -q ^ii || fail "both are there"
    ! qemu-aarch64-static --version | grep -q raemu || fail "qemu-aarch64-static is still ours"
    arm64_runs
    # update-binfmts had no place for both.
    apt-get purge --yes raemu-aarch64
    has_no_entry raemu-aarch64
    has_entry qemu-aarch64
    arm64_runs
}

# Without /proc nothing can be registered, and nothing fails.
case_bare_chroot() {
    mount_binfmt_misc
    mkdir /inner
    for directory in bin lib lib64 sbin; do
        [ ! -L "/$directory" ] || cp -P "/$directory" /inner
    done
    cp -a /usr /etc /var /inner
    mkdir -p /inner/proc /inner/dev /inner/tmp
    cp /packages/*.deb /inner/tmp
    chroot /inner sh -c 'dpkg --install /tmp/raemu-aarch64_*.deb' || fail "installing in a chroot"
    has_no_entry raemu-aarch64
    # With /proc, it is seen that the table is somebody else's.
    mount -t proc proc /inner/proc
    mount -t binfmt_misc none /inner/proc/sys/fs/binfmt_misc
    chroot /inner sh -c 'dpkg --install /tmp/raemu-aarch64_*.deb' || fail "installing in a chroot with /proc"
    has_no_entry raemu-aarch64
    # Removing in the chroot does not unregister what is the host's.
    install $ours
    is_registered
    chroot /inner dpkg --purge raemu-aarch64 || fail "purging in a chroot"
    is_registered
}

case_container() {
    touch /.dockerenv
    install $ours
    has_no_entry raemu-aarch64
    apt-get purge --yes raemu-aarch64
}

# binfmt_misc cannot be had at all.
case_no_binfmt_misc() {
    mount -t tmpfs -o ro none "$table"
    install $ours
    apt-get purge --yes raemu-aarch64
}

# As docs/install.md has it.
case_tarball() {
    tar --extract --gzip --file /packages/*-linux.tar.gz --directory /usr/local --strip-components=1
    raemu-binfmt register --persistent
    grep -qx 'interpreter /usr/local/libexec/raemu-binfmt/aarch64-binfmt-P' "$table/raemu-aarch64" || fail interpreter
    arm64_runs
    raemu-binfmt run -- chroot /arm64 /bin/true
    raemu-binfmt unregister --persistent
    has_no_entry raemu-aarch64
    [ ! -e /etc/binfmt.d/raemu-aarch64.conf ] || fail "the file for the next boot is left"
}

# What a privileged container of the image does.
case_image() {
    mkdir /image
    tar --extract --gzip --file /packages/layer.tar.gz --directory /image
    mkdir /image/proc /image/dev
    mount -t proc proc /image/proc
    mount --rbind /dev /image/dev
    status=$(env -i PATH=/usr/bin QEMU_PRESERVE_ARGV0=1 /usr/sbin/chroot /image /usr/bin/raemu-binfmt --install arm64)
    echo "$status"
    case "$status" in
        *'"linux/arm64"'*qemu-aarch64*) ;;
        *) fail "status: $status" ;;
    esac
    mount_binfmt_misc
    has_entry qemu-aarch64
    grep -qx 'flags: POCF' "$table/qemu-aarch64" || fail flags
    # The container has ended; its file stays open.
    rm -r /image/usr
    arm64_runs
}

"case_$1"
