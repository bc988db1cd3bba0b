# Makes a system of an archive the root of this mount namespace, and runs a script as its first process.
# Arguments: archive, arm64 root file system, script, scenario, packages, tarball, layer of the image.
set -e
archive=$1 arm64=$2 script=$3 scenario=$4
shift 4

mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
# Device files cannot be made in a user namespace; the host's are lent.
tar -x --file "$archive" --directory /mnt --exclude './dev/*'
for device in null zero full random urandom tty; do
    touch "/mnt/dev/$device"
    mount --bind "/dev/$device" "/mnt/dev/$device"
done
mount -t proc proc /mnt/proc
mkdir /mnt/arm64 /mnt/packages /mnt/old
mount --bind "$arm64" /mnt/arm64
mount -o remount,bind,ro /mnt/arm64
for package in "$@"; do
    case "$package" in
        *.deb | *-linux.tar.gz) cp "$package" /mnt/packages ;;
        *) cp "$package" /mnt/packages/layer.tar.gz ;;
    esac
done
cp "$script" /mnt/try.sh

cd /mnt
pivot_root . old
exec chroot . /bin/sh -c 'umount -l /old && exec /bin/sh -eu /try.sh "$1"' sh "$scenario"
