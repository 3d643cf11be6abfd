#!/usr/bin/env bash
# Builds examples/dubbo-go as it stands there, with the modules of dubbo-go-health.
# usage: build.sh OUTFILE
set -euo pipefail

out=$(realpath -m -- "${1:?usage: build.sh OUTFILE}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp ../../../../examples/dubbo-go/* ../dubbo-go-health/go.mod ../dubbo-go-health/go.sum "$folder"
cd -- "$folder"
go vet .
go build -trimpath -p 1 -o "$out" .
