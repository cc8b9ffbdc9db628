#!/bin/sh
# Installs the peers that the interoperability tests call. Where that is not
# possible those tests say so and are skipped.
set -eu

missing=
command -v sipp >/dev/null || missing="$missing sip-tester"
command -v baresip >/dev/null || missing="$missing baresip"
command -v kamailio >/dev/null || missing="$missing kamailio kamailio-tls-modules"
command -v linphonec >/dev/null || missing="$missing linphone-cli"
command -v svmap >/dev/null || missing="$missing sipvicious"
command -v chromium >/dev/null || missing="$missing chromium"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "peers: not a Debian machine: install$missing to run all tests" >&2
	exit 0
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	sudo="sudo -n"
	if ! $sudo true 2>/dev/null; then
		echo "peers: run as root: apt-get install$missing" >&2
		exit 0
	fi
fi
echo "peers: installing$missing"
$sudo apt-get update -qq
# Debian starts servers that are installed, unless this forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
	trap '$sudo rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
