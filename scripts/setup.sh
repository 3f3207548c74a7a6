#!/bin/sh
# Sets up the environment .venv: `scripts/setup.sh run` for running the workbook, `scripts/setup.sh test` for
# testing it as well. Does nothing when that is done already and neither pyproject.toml nor requirements.txt has
# changed since. A set-up that was interrupted is thrown away and made again; so is one whose folder was moved.
# PYTHON=... in the environment chooses the Python that .venv is made from.
set -eu
cd "$(dirname "$0")/.."

part=${1:-run}
venv=.venv
python=$venv/bin/python
here=$(pwd -P)
unfinished=$venv/.unfinished # there while a set-up is running; holds its process number
maker=$venv/.made-by-make    # there when this script made .venv; holds the folder it was made for
log=$venv/set-up.log
inputs=$(cat pyproject.toml requirements.txt | cksum)
torch=$(sed -n 's/^\(torch==[^ ;]*\).*/\1/p' requirements.txt)

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}


python_works() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

is_ready() { # is_ready run|test
    [ -f "$venv/.ready-$1" ] && [ "$(cat "$venv/.ready-$1")" = "$here $inputs" ] && [ ! -f "$unfinished" ] && python_works
}

find_python() {
    old=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
        old=${old:-$candidate}
    done
    if [ -n "$old" ]; then
        fail "$old is new enough but cannot make virtual environments: install its venv package" \
            "(on Debian and Ubuntu: apt-get install python3-venv) and run this again."
    elif [ -n "${PYTHON:-}" ]; then
        fail "PYTHON=$PYTHON is not a Python of version 3.11 or newer: name another, or leave PYTHON out."
    fi
    fail "No Python 3.11 or newer was found: install one, or name it, as in \`make run PYTHON=/path/to/python3\`."
}

make_venv() {
    base=$(find_python)
    echo "Making the environment $venv with $("$base" -V) ($base): a few seconds."
    mkdir -p "$venv"
    echo "$here" >"$maker"
    echo $$ >"$unfinished"
    "$base" -m venv "$venv" || fail "Set-up stopped: $base could not make $venv (the reason is above)."
}

# What pip installs is compiled afterwards, on all processors (pip takes one).
# What pip prints goes to a log and is shown only when it fails. The user's pip settings (indexes, proxies) count,
# except --user, which an environment of one's own has no use for.
install() { # install WHAT-IT-IS PIP-ARGUMENTS...
    what=$1
    shift
    status=0
    PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install -q --no-input --no-compile "$@" >"$log" 2>&1 || status=$?
    if [ $status != 0 ]; then
        tail -n 12 "$log" >&2
        [ $status -gt 128 ] || rm -f "$unfinished" # pip gave up by itself: what it did install is whole, and can stay
        fail "Set-up stopped while installing $what: pip's reason is above (all of it in $log). Mend that and run this again."
    fi
}

case $part in
run | test) ;;
*) fail "scripts/setup.sh: unknown part '$part': it is run or test." ;;
esac
[ -n "$torch" ] || fail "requirements.txt has no line torch==VERSION, so there is nothing to install: restore that file."
if is_ready "$part"; then
    exit 0
fi

# Is somebody else at it, or did an earlier set-up stop half-way?
if [ -f "$unfinished" ]; then
    other=$(cat "$unfinished")
    if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then
        fail "Another set-up of $venv is running (process $other): wait for it, or stop it and run \`make clean\`."
    fi
fi
if [ -f "$maker" ]; then
    if [ -f "$unfinished" ]; then
        echo "An earlier set-up did not finish: starting it again."
        rm -rf "$venv"
    elif [ "$(cat "$maker")" != "$here" ] || ! python_works; then
        echo "$venv was made for another folder or another Python: making it again."
        rm -rf "$venv"
    fi
elif [ -e "$venv" ] && ! { python_works && "$python" -m pip --version >/dev/null 2>&1; }; then
    fail "$venv is not an environment that can be used here (Python 3.11 or newer, with pip): move it away and run this again."
fi

trap 'fail "The set-up was interrupted: run this again, and it starts afresh."' HUP INT TERM
[ -e "$venv" ] || make_venv
echo $$ >"$unfinished"

installed_torch=$("$python" -c 'from importlib.metadata import version; print("torch==" + version("torch").split("+")[0])' \
    2>/dev/null || true)
if [ "$installed_torch" != "$torch" ]; then
    echo "Installing $torch, the largest part: 0.2 GB to fetch without NVIDIA's libraries, about 3 GB with them; minutes on a slow line."
    install "$torch" "$torch"
fi
case $part in
run)
    echo "Installing crn_lib and what it uses (JupyterLab, plotly, numba, ...): about 0.2 GB to fetch, half a minute or more."
    install crn_lib -c requirements.txt -e .
    ;;
test)
    echo "Installing crn_lib, what it uses, the test tools (pytest, playwright, triton, Ray, ...) and Sphinx: about 0.6 GB to fetch, a minute or more."
    install "crn_lib and the test tools" -c requirements.txt -e '.[dev,site]'
    sh scripts/ensure_browser.sh || {
        rm -f "$unfinished" # what is installed is whole, and can stay
        exit 1
    }
    echo "$here $inputs" >"$venv/.ready-test"
    ;;
esac
"$python" -m compileall -q -j 0 "$venv/lib" >/dev/null 2>&1 || true # some packages bring files for other Pythons
echo "$here $inputs" >"$venv/.ready-run"
rm -f "$unfinished"
echo "The environment is ready."
