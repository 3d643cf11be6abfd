#!/usr/bin/env bash
# Builds the runner of Connect's conformance suite, and what its service is called and looks like, as a set of descriptors. Of the cases
# in which a client breaks its call off, which the runner keeps for clients, it makes some for servers.
# usage: build.sh OUTDIR
set -euo pipefail

out=$(realpath -m -- "${1:?usage: build.sh OUTDIR}")
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
mkdir -p "$out"
go build -trimpath -p 1 -o "$out/connectconformance" connectrpc.com/conformance/cmd/connectconformance
module=$(go list -m -f '{{.Dir}}' connectrpc.com/conformance)
../../../../node_modules/.bin/buf build "$module/proto" -o "$out/service.binpb"
sed '/^mode:/d' "$module/internal/app/connectconformance/testsuites/data/client_cancellation.yaml" >"$out/cancellation.yaml"
