#!/bin/sh
# Installs the Debian packages named that are missing: as root or with sudo; else prints the one line to run, and fails.
missing=
for package in "$@"; do
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
	sudo=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
	sudo=sudo
else
	echo "These packages are missing:$missing"
	echo "Run this as root, then try again:  apt-get update && $install"
	exit 1
fi
echo "Installing:$missing"
# The lists may be old or absent; only a failing install makes the failure ours.
$sudo apt-get update -q || true
$sudo env DEBIAN_FRONTEND=noninteractive $install
