#!/bin/sh
# Compiles the benchmark programs for both architectures: target/bench/{arm64,amd64}/NAME.
# `simd_*` at -O3 (the compiler's vectoriser in full), the rest at -O2; all static, start_true_dynamic aside.
set -eu
cd "$(dirname "$0")"
out=${1:-../../target/bench}
for arch in arm64 amd64; do
    case $arch in
    arm64) cc=${CC_ARM64:-aarch64-linux-gnu-gcc} ;;
    amd64) cc=${CC_AMD64:-gcc} ;;
    esac
    mkdir -p "$out/$arch"
    for source in *.c; do
        name=${source%.c}
        case $name in
        simd_*) level=-O3 ;;
        *) level=-O2 ;;
        esac
        binary=$out/$arch/$name
        # `find -newer` is how POSIX says "is older than".
        if [ -e "$binary" ] && [ -z "$(find "$source" bench.h build.sh -newer "$binary")" ]; then continue; fi
        "$cc" $level -std=gnu11 -Wall -Wextra -Werror -static -o "$binary" "$source" -lm
        if [ "$name" = start_true ]; then "$cc" $level -std=gnu11 -o "${binary}_dynamic" "$source"; fi
    done
done
