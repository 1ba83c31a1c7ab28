#!/usr/bin/env bash
# Installs Tryton from Debian's packages, where it is missing: the server and the modules of the reference ERP and WMS.
# usage: test/support/tryton/install.sh (as root)
set -euo pipefail

packages=(tryton-server tryton-modules-party tryton-modules-product tryton-modules-stock tryton-modules-sale tryton-modules-purchase)

installed() { dpkg-query -W -f '${Status}\n' "${packages[@]}" 2>/dev/null | grep -c '^install ok installed$' || true; }

[ "$(installed)" -eq "${#packages[@]}" ] && exit 0
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
apt-get install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1 && exit 0
apt-get update >"$log" 2>&1
apt-get install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1 || { cat "$log"; exit 1; }
