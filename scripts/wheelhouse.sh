#!/bin/sh
# Fills a folder with all that a machine without internet needs to install the workbook: `sh scripts/wheelhouse.sh FOLDER`,
# or with an extra `sh scripts/wheelhouse.sh FOLDER course`. Run it where there is internet, with a Python of the same
# version and system as there (PYTHON=... names another). docs/ways_in.md says what to do with the folder.
set -eu
[ $# -ge 1 ] || {
    echo "Usage: sh scripts/wheelhouse.sh FOLDER [EXTRA]" >&2
    exit 2
}
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -m pip wheel -q --no-deps -w "$folder" .
wheel=$(ls "$folder"/crn_lib-*.whl)
"$python" -m pip download -q -d "$folder" -c requirements.txt "$wheel${2:+[$2]}"
cp requirements.txt "$folder"
echo "$(ls "$folder" | wc -l) files, $(du -sh "$folder" | cut -f 1), in $folder"
