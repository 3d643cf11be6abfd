#!/usr/bin/env bash
# Builds a Java driver, against one version of nacos-client where it has several to choose from.
#   build-java.sh DRIVER [VERSION] OUTDIR
#   java -cp "OUTDIR/classes:OUTDIR/lib/*" MAIN_CLASS --server HOST:PORT --tmp DIR ...
# Does nothing when OUTDIR already holds what these sources make.
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo "usage: build-java.sh DRIVER [VERSION] OUTDIR" >&2
  exit 2
fi
clients=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
driver=$clients/$1
version=
[ $# -eq 2 ] || version=$2
out=${!#}
mkdir -p "$out"
out=$(cd "$out" && pwd)

inputs() {
  echo "$version"
  cat "$driver/pom.xml" "$clients/build-java.sh" "$clients"/java-nacos-lines/*.java "$driver"/src/*.java
}

is_built() {
  [ -f "$out/.built" ] && inputs | cmp -s - "$out/.built"
}

is_built && exit 0

# Tests ask for several at the same time; Maven's local repository takes them best one by one, whosever they are.
exec 9<"$clients"
if command -v flock >/dev/null; then
  flock 9
  is_built && exit 0
fi

# Built aside and stamped last, so that a broken build never looks complete.
stage=$out/.partial
rm -rf "$stage"
mvn -q -B -f "$driver/pom.xml" ${version:+"-Dnacos.version=$version"} "-Dbuild.dir=$stage" process-classes >&2 9>&-
rm -rf "$out/.built" "$out/classes" "$out/lib"
mv "$stage/classes" "$stage/lib" "$out/"
rm -rf "$stage"
inputs >"$out/.built"
