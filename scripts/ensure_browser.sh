#!/bin/sh
# A Chromium for the browser tests: the one that is there, or else one from the system's packages. Where neither can
# be had it says so in one line and still succeeds, since those tests are then skipped; not so where CRN_REQUIRE names
# the browser.
set -u

skip() {
    case ,${CRN_REQUIRE:-}, in
    *,browser,*)
        echo "No Chromium for the browser tests: $1. CRN_REQUIRE names browser."
        exit 1
        ;;
    esac
    echo "No Chromium for the browser tests: $1. They will be skipped."
    exit 0
}

find_browser() {
    for name in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Chromium.app/Contents/MacOS/Chromium" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        # A name can be there without a browser behind it: a snap's stand-in, say. So ask it.
        if command -v "$name" >/dev/null 2>&1 && "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    return 1
}

if browser=$(find_browser); then
    echo "Browser for the tests: $browser"
    exit 0
fi

if command -v apt-get >/dev/null 2>&1; then
    manager=apt-get
elif command -v dnf >/dev/null 2>&1; then
    manager=dnf
elif command -v pacman >/dev/null 2>&1; then
    manager=pacman
elif command -v brew >/dev/null 2>&1; then
    manager=brew
else
    skip "none is installed, and apt-get, dnf, pacman and brew are not here either"
fi

if [ "$manager" = brew ] || [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
    as_root="sudo -n"
else
    skip "none is installed, and installing it with $manager needs root or a sudo that asks for no password"
fi

echo "Installing Chromium with $manager for the browser tests: about 0.1 GB to fetch, half a minute or more."
apt_install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=1 -o Acquire::http::Timeout=30 "$@"
}
log=$(mktemp) || skip "no temporary file could be made"
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
case $manager in
apt-get) apt_install update && { apt_install install --no-install-recommends chromium || apt_install install chromium-browser; } ;;
dnf) $as_root dnf -q -y install chromium ;;
pacman) $as_root pacman -S --noconfirm --needed chromium ;;
brew) brew install --quiet --cask chromium || brew install --quiet --cask google-chrome ;;
esac >"$log" 2>&1 </dev/null

if browser=$(find_browser); then
    echo "Browser for the tests: $browser"
else
    skip "$manager could not install one ($(grep -v '^[[:space:]]*$' "$log" | tail -n 1))"
fi
