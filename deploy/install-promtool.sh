#!/bin/sh
# promtool checks the alert rules; Debian has it in the package prometheus. Without it those tests are skipped.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing promtool (Debian's package prometheus)"
    if { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends prometheus; } >/dev/null 2>&1; then
        exit 0
    fi
fi
echo "promtool is missing and cannot be installed here: the tests of the alert rules will be skipped"
