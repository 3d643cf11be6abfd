#!/usr/bin/env bash
# Builds the driver against one nacos-client version.
#   build.sh VERSION [OUTDIR]     OUTDIR defaults to target/VERSION beside this script
#   java -cp "OUTDIR/classes:OUTDIR/lib/*" NacosDriver --server HOST:PORT --tmp DIR ...
# Does nothing when OUTDIR already holds this version built from these sources.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: build.sh VERSION [OUTDIR]" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$1
out=${2:-$here/target/$version}
mkdir -p "$out"
out=$(cd "$out" && pwd)

inputs() {
  echo "nacos-client $version"
  cat "$here/pom.xml" "$here/build.sh" "$here"/src/*.java
}

is_built() {
  [ -f "$out/.built" ] && [ -f "$out/lib/nacos-client-$version.jar" ] && inputs | cmp -s - "$out/.built"
}

is_built && exit 0

# Tests may ask for builds at the same time; Maven's local repository takes them best one by one, whosever they are.
exec 9<"$here/.."
if command -v flock >/dev/null; then
  flock 9
  is_built && exit 0
fi

# Built aside and stamped last, so that a broken build never looks complete.
stage=$out/.partial
rm -rf "$stage"
mvn -q -B -f "$here/pom.xml" "-Dnacos.version=$version" "-Dbuild.dir=$stage" process-classes >&2 9>&-
rm -rf "$out/.built" "$out/classes" "$out/lib"
mv "$stage/classes" "$stage/lib" "$out/"
rm -rf "$stage"
inputs >"$out/.built"
