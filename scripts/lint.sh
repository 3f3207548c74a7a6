#!/bin/sh
# The checks of .pre-commit-config.yaml on the whole tree, with the tools in .venv. pre-commit needs git and a
# repository; where one of them is missing (an unpacked archive, say) the same checks run without it.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
PRE_COMMIT_HOME=$PWD/.venv/pre-commit
export PATH PRE_COMMIT_HOME

if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; then
    exec pre-commit run --all-files
fi
echo "No git repository here: the checks run without pre-commit."
ruff check .
ruff format --check .
mypy
lint-imports --no-cache
deptry crn_lib
crn check
