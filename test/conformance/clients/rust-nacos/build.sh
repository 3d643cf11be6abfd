#!/usr/bin/env bash
# usage: build.sh OUTFILE
set -euo pipefail

out=$(realpath -m -- "${1:?usage: build.sh OUTFILE}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
cargo build --quiet --release --locked --target-dir "$out.target"
mkdir -p -- "$(dirname -- "$out")"
install -- "$out.target/release/rust-nacos" "$out"
